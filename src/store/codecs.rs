//! How ids and codes of the domain are stored: ids as `uuid`, codes as `text`. With these implementations of sqlx's
//! traits, ids and codes can be parameters of statements and columns of rows.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use uuid::Uuid;

use crate::domain::case::number::CaseNumber;
use crate::domain::delivery::parcel::{CarrierCode, OrderNo, Waybill};
use crate::domain::item::{AgencyCode, ItemCode};
use crate::domain::kernel::ids::{
    AddressId, CallbackId, CaseId, ClientId, DraftId, InstallationId, JobId, LoginCodeId, NotificationId, OfficerId,
    ParcelId, PersonId, SessionId, UploadId,
};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::work::job::Lane;

/// Implements sqlx's traits for each type: a value is stored as a `$column`. `$write` is the method that returns the
/// stored value, and `$read` the constructor that takes it. Both always succeed.
macro_rules! stored {
    ($column:ty, $write:ident: $($type:ident::$read:ident),+ $(,)?) => {$(
        impl Type<Postgres> for $type {
            fn type_info() -> PgTypeInfo {
                <$column as Type<Postgres>>::type_info()
            }

            fn compatible(column: &PgTypeInfo) -> bool {
                <$column as Type<Postgres>>::compatible(column)
            }
        }

        impl PgHasArrayType for $type {
            fn array_type_info() -> PgTypeInfo {
                <$column>::array_type_info()
            }

            fn array_compatible(column: &PgTypeInfo) -> bool {
                <$column>::array_compatible(column)
            }
        }

        impl Encode<'_, Postgres> for $type {
            fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                Encode::<Postgres>::encode_by_ref(&self.$write(), out)
            }
        }

        impl Decode<'_, Postgres> for $type {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                <$column as Decode<Postgres>>::decode(value).map(Self::$read)
            }
        }
    )+};
}

stored!(
    Uuid,
    uuid: AddressId::from_uuid,
    CallbackId::from_uuid,
    CaseId::from_uuid,
    ClientId::from_uuid,
    DraftId::from_uuid,
    InstallationId::from_uuid,
    JobId::from_uuid,
    LoginCodeId::from_uuid,
    NotificationId::from_uuid,
    OfficerId::from_uuid,
    ParcelId::from_uuid,
    PersonId::from_uuid,
    SessionId::from_uuid,
    UploadId::from_uuid,
);
stored!(
    String,
    as_str: AgencyCode::new,
    CarrierCode::new,
    CaseNumber::from_stored,
    ChannelCode::new,
    ItemCode::new,
    Lane::from_stored,
    OrderNo::from_stored,
    Waybill::new,
);
