//! Compares our message templates with those that a gateway holds. A difference costs every message of the template
//! (WeChat's 40037 and 47003), and is cheaper to hear of from a command than from people who were told nothing.

use super::templates::{Assignment, Templates};
use crate::domain::notice::notification::{ChannelCode, Consent, KnownTemplate, Template};

impl Templates {
    /// What is doubtful about a channel's templates, and what to do about it. Empty if all is well.
    #[must_use]
    pub fn doubts(&self, channel: &ChannelCode, known: &[KnownTemplate]) -> Vec<String> {
        let ours = self.assignments().iter().filter(|assignment| assignment.channel == *channel);
        ours.flat_map(|assignment| self.doubts_of(assignment, known)).collect()
    }

    fn doubts_of(&self, assignment: &Assignment, known: &[KnownTemplate]) -> Vec<String> {
        let ours = &assignment.wording;
        let place = format!("{}.{}", assignment.channel, ours.id);
        let Some(theirs) = known.iter().find(|theirs| theirs.id == ours.id) else {
            return vec![format!("{place}: the gateway has no such template; put the id that it gave yours")];
        };
        let missing = theirs.fields.keys().filter(|name| !ours.fields.contains_key(*name));
        let missing = missing.map(|name| format!("{place}.{name}: the gateway wants this field; give it a pattern"));
        let unknown = ours.fields.keys().filter(|name| !theirs.fields.contains_key(*name));
        let unknown = unknown.map(|name| format!("{place}.{name}: the gateway has no such field; remove it"));
        let consent = consent_doubt(ours, theirs).map(|doubt| format!("{place}: {doubt}"));
        missing.chain(unknown).chain(consent).chain(self.choice_doubts(assignment, theirs, &place)).collect()
    }

    /// Texts that a field with a fixed list of them does not take.
    fn choice_doubts(&self, assignment: &Assignment, theirs: &KnownTemplate, place: &str) -> Vec<String> {
        let mut doubts = Vec::new();
        for (name, pattern) in &assignment.wording.fields {
            let Some(choices) = theirs.fields.get(name).filter(|choices| !choices.is_empty()) else { continue };
            for event in &assignment.events {
                let text = pattern.replace("{status}", self.status(*event).get(assignment.language));
                if !choices.contains(&text) {
                    let choices = choices.join(", ");
                    doubts.push(format!("{place}.{name}: `{text}` is refused; the field takes {choices}"));
                }
            }
        }
        doubts
    }
}

fn consent_doubt(ours: &Template, theirs: &KnownTemplate) -> Option<&'static str> {
    match theirs.consent {
        consent if consent == ours.consent => None,
        Consent::OneTime => Some("one consent is one message there; set consent = \"one_time\""),
        Consent::LongTerm => Some("one consent lasts there; set consent = \"long_term\""),
        Consent::NotNeeded => Some("no consent is needed there; remove consent"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn shipped() -> Templates {
        toml::from_str(include_str!("../../catalog/templates.toml")).unwrap()
    }

    /// All templates of WeChat, as they would be there if ours were right.
    fn right(templates: &Templates) -> Vec<KnownTemplate> {
        let ours = templates.assignments().iter().filter(|assignment| assignment.channel.as_str() == "wechat");
        ours.map(|assignment| KnownTemplate {
            id: assignment.wording.id.clone(),
            fields: assignment.wording.fields.keys().map(|name| (name.clone(), Vec::new())).collect(),
            consent: assignment.wording.consent,
        })
        .collect()
    }

    #[test]
    fn equal_templates_raise_no_doubt() {
        let ours = shipped();
        assert_eq!(ours.doubts(&ChannelCode::new("wechat"), &right(&ours)), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_told() {
        let ours = shipped();
        let mut theirs = right(&ours);
        theirs.remove(0);
        let other: BTreeMap<_, _> = [
            ("thing1".to_owned(), vec![]),
            ("phrase2".to_owned(), vec!["准予办理".to_owned()]),
            ("date9".to_owned(), vec![]),
        ]
        .into();
        (theirs[0].fields, theirs[0].consent) = (other, Consent::LongTerm);
        let doubts = ours.doubts(&ChannelCode::new("wechat"), &theirs);
        for part in
            ["no such template", ".date9: the gateway wants", ".time4: the gateway has no", "`不予办理`", "long_term"]
        {
            assert!(doubts.iter().any(|doubt| doubt.contains(part)), "{part} in {doubts:#?}");
        }
        assert!(!doubts.iter().any(|doubt| doubt.contains("`准予办理`")), "that one is taken: {doubts:#?}");
    }
}
