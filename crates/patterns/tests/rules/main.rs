//! The rules of each pattern, as tables and against small reference models.

mod balance;
mod fair_queue;
mod groups;
mod publish;
mod publish_modes;
mod reply;
mod request;
mod route;
mod service;
mod subscribe;
mod support;
