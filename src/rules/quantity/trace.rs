//! Where the rule tells what it does. Nothing is formatted when nobody listens: a catalogue is a million listings.

use std::fmt;

use super::Step;
use crate::model::Sku;

pub(super) trait Trace {
    /// Which component of a kit the next steps are about.
    fn about(&mut self, component: Option<&Sku>);

    fn note(&mut self, step: u8, value: Option<i64>, text: fmt::Arguments<'_>);
}

pub(super) struct Silent;

impl Trace for Silent {
    fn about(&mut self, _: Option<&Sku>) {}

    fn note(&mut self, _: u8, _: Option<i64>, _: fmt::Arguments<'_>) {}
}

#[derive(Default)]
pub(super) struct Told {
    component: Option<Sku>,
    steps: Vec<Step>,
}

impl Told {
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

impl Trace for Told {
    fn about(&mut self, component: Option<&Sku>) {
        self.component = component.cloned();
    }

    fn note(&mut self, number: u8, value: Option<i64>, text: fmt::Arguments<'_>) {
        let text = match &self.component {
            Some(sku) => format!("{sku}: {text}"),
            None => text.to_string(),
        };
        self.steps.push(Step { number, text, value });
    }
}
