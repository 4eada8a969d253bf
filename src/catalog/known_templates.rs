//! Compares our message templates with those that are registered at a gateway. If they differ, the gateway refuses
//! every message of the template (WeChat's errors 40037 and 47003). `songda catalog compare` shows the differences.

use super::templates::{Assignment, Templates};
use crate::domain::notice::notification::{ChannelCode, Consent, KnownTemplate, Template};

impl Templates {
    /// Compares our templates for a channel with those that are registered at its gateway (`known`). Returns a warning,
    /// with advice, for each difference.
    pub fn doubts(&self, channel: &ChannelCode, known: &[KnownTemplate]) -> Vec<String> {
        let ours = self.assignments().iter().filter(|assignment| assignment.channel == *channel);
        ours.flat_map(|assignment| self.doubts_of(assignment, known)).collect()
    }

    fn doubts_of(&self, assignment: &Assignment, known: &[KnownTemplate]) -> Vec<String> {
        let ours = &assignment.wording;
        let place = format!("{}.{}", assignment.channel, ours.id);
        let Some(theirs) = known.iter().find(|theirs| theirs.id == ours.id) else {
            return vec![format!("{place}: the gateway has no such template; enter the id that the gateway gave it")];
        };
        let missing = theirs.fields.keys().filter(|name| !ours.fields.contains_key(*name));
        let missing = missing.map(|name| format!("{place}.{name}: the gateway wants this field; add a pattern for it"));
        let unknown = ours.fields.keys().filter(|name| !theirs.fields.contains_key(*name));
        let unknown = unknown.map(|name| format!("{place}.{name}: the gateway has no such field; remove it"));
        let consent = consent_doubt(ours, theirs).map(|doubt| format!("{place}: {doubt}"));
        missing.chain(unknown).chain(consent).chain(self.choice_doubts(assignment, theirs, &place)).collect()
    }

    /// Some fields of the gateway's template accept only certain texts, which the gateway lists. Returns a warning for
    /// each of our texts that is not in the list of its field, because the gateway would refuse the message.
    fn choice_doubts(&self, assignment: &Assignment, theirs: &KnownTemplate, place: &str) -> Vec<String> {
        let mut doubts = Vec::new();
        for (name, pattern) in &assignment.wording.fields {
            let Some(choices) = theirs.fields.get(name).filter(|choices| !choices.is_empty()) else { continue };
            for event in &assignment.events {
                let text = pattern.replace("{status}", self.status(*event).get(assignment.language));
                if !choices.contains(&text) {
                    let choices = choices.join(", ");
                    doubts.push(format!("{place}.{name}: the gateway refuses `{text}`; the field accepts {choices}"));
                }
            }
        }
        doubts
    }
}

fn consent_doubt(ours: &Template, theirs: &KnownTemplate) -> Option<&'static str> {
    match theirs.consent {
        consent if consent == ours.consent => None,
        Consent::OneTime => Some("at the gateway one consent allows one message; set consent = \"one_time\""),
        Consent::LongTerm => Some("at the gateway a consent lasts; set consent = \"long_term\""),
        Consent::NotNeeded => Some("the gateway needs no consent; remove `consent`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Templates {
        toml::from_str(include_str!("../../catalog/templates.toml")).unwrap()
    }

    /// The list that WeChat would return if all our templates were correct.
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
    fn equal_templates_have_no_differences() {
        let ours = shipped();
        assert_eq!(ours.doubts(&ChannelCode::new("wechat"), &right(&ours)), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_reported() {
        let ours = shipped();
        let mut theirs = right(&ours);
        theirs.remove(0);
        let fields = [("thing1", None), ("phrase2", Some("准予办理")), ("date9", None)];
        let owned =
            |(name, only): (&str, Option<&str>)| (name.to_owned(), only.map(str::to_owned).into_iter().collect());
        theirs[0].fields = fields.map(owned).into();
        theirs[0].consent = Consent::LongTerm;
        let doubts = ours.doubts(&ChannelCode::new("wechat"), &theirs);
        for part in
            ["no such template", ".date9: the gateway wants", ".time4: the gateway has no", "`不予办理`", "long_term"]
        {
            assert!(doubts.iter().any(|doubt| doubt.contains(part)), "{part} in {doubts:#?}");
        }
        assert!(!doubts.iter().any(|doubt| doubt.contains("`准予办理`")), "this text is accepted: {doubts:#?}");
    }
}
