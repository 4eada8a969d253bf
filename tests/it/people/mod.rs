//! Signing in and being reached, against a real PostgreSQL: what only a database with its locks can show.

mod address_book;
mod api_clients;
mod codes;
mod consents;
mod desk;
mod identity;
mod officers;
mod sessions;
