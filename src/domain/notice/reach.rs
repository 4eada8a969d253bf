//! Chooses the channel for a message, by the addresses and consents of the person and by the order of the channels.

use std::collections::BTreeSet;

use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::{ChannelCode, Consent, Template};

/// The kind of address that a channel sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// The phone number that the person proved to own.
    Phone,
    /// The person's WeChat account.
    WechatAccount,
    /// The token that the channel issued to one of the person's devices.
    DeviceToken,
}

/// One entry of the [`Chain`] (the channels in the order in which they are tried): a channel, and the kind of address
/// that it sends to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub channel: ChannelCode,
    pub address: AddressKind,
}

/// The addresses and consents of a person at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    pub language: Language,
    pub phone: bool,
    /// True if a WeChat account is known and still valid.
    pub wechat: bool,
    /// Channels with a registered device token.
    pub devices: BTreeSet<ChannelCode>,
    /// One entry `<channel> <template id>` for every template that the person still consents to.
    pub consents: BTreeSet<String>,
}

impl Reach {
    /// True if the person has an address on the channel.
    pub fn has(&self, link: &Link) -> bool {
        match link.address {
            AddressKind::Phone => self.phone,
            AddressKind::WechatAccount => self.wechat,
            AddressKind::DeviceToken => self.devices.contains(&link.channel),
        }
    }

    /// True if the person wants a message of this template on this channel. Sending without consent only wastes a call.
    pub fn wants(&self, channel: &ChannelCode, template: &Template) -> bool {
        template.consent == Consent::NotNeeded || self.consents.contains(&format!("{channel} {}", template.id))
    }
}

/// The channels of this installation, in the order in which they are tried until one delivers.
#[derive(Debug, Clone, Default)]
pub struct Chain(Vec<Link>);

impl Chain {
    pub fn new(links: Vec<Link>) -> Self {
        Self(links)
    }

    /// Returns the first channel after `after` on which the person has an address and wants the message. If `after` is
    /// `None`, the search starts at the first channel. `template` returns a channel's template for the message. A
    /// channel without a template is skipped.
    pub fn next<'a>(
        &'a self,
        after: Option<&ChannelCode>,
        reach: &Reach,
        template: impl Fn(&ChannelCode) -> Option<&'a Template>,
    ) -> Option<&'a ChannelCode> {
        let start = after.map_or(0, |after| self.place_after(after));
        let usable = |link: &&Link| {
            reach.has(link) && template(&link.channel).is_some_and(|template| reach.wants(&link.channel, template))
        };
        self.0.iter().skip(start).find(usable).map(|link| &link.channel)
    }

    /// The channels after this channel, in order; all channels if it is not in the chain any more.
    pub fn after(&self, channel: &ChannelCode) -> impl Iterator<Item = &ChannelCode> {
        self.iter().skip(self.place_after(channel))
    }

    fn place_after(&self, channel: &ChannelCode) -> usize {
        self.iter().position(|code| code == channel).map_or(0, |at| at + 1)
    }

    /// The channels that send to this kind of address, in order.
    pub fn finding_by(&self, address: AddressKind) -> impl Iterator<Item = &ChannelCode> {
        self.0.iter().filter(move |link| link.address == address).map(|link| &link.channel)
    }

    /// All channels, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ChannelCode> {
        self.0.iter().map(|link| &link.channel)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn template(consent: Consent) -> Template {
        Template { id: "tpl".into(), fields: BTreeMap::new(), fallbacks: BTreeMap::new(), page: None, consent }
    }

    #[test]
    fn the_chain_skips_channels_without_address_or_consent() {
        let (wechat, sms) = (ChannelCode::new("wechat"), ChannelCode::new("sms_aliyun"));
        let link = |channel: &ChannelCode, address| Link { channel: channel.clone(), address };
        let chain = Chain::new(vec![link(&wechat, AddressKind::WechatAccount), link(&sms, AddressKind::Phone)]);
        let (asks, free) = (template(Consent::OneTime), template(Consent::NotNeeded));
        let words = |code: &ChannelCode| Some(if code.as_str() == "wechat" { &asks } else { &free });

        let mut reach = Reach { phone: true, wechat: true, ..Reach::default() };
        assert_eq!(chain.next(None, &reach, words), Some(&sms), "without consent WeChat is not tried");
        reach.consents.insert("wechat tpl".into());
        assert_eq!(chain.next(None, &reach, words), Some(&wechat));
        assert_eq!(chain.next(Some(&wechat), &reach, words), Some(&sms));
        assert_eq!(chain.next(Some(&sms), &reach, words), None);
        reach.phone = false;
        assert_eq!(chain.next(Some(&wechat), &reach, words), None);
        let after = |code: &str| chain.after(&ChannelCode::new(code)).count();
        assert_eq!([after("wechat"), after("sms_aliyun"), after("owl")], [1, 0, 2]);
    }
}
