//! Message templates (消息模板): the wording of each event in the inbox, and on each channel in each language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use crate::domain::kernel::text::{Bilingual, Language};
use crate::domain::notice::consent::ConsentTemplate;
use crate::domain::notice::notification::{ChannelCode, Consent, Event, Template};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    events: BTreeMap<Event, Wording>,
    templates: Vec<Assignment>,
}

/// The wording of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// The text for the placeholder `{status}`, at most five Chinese characters.
    pub status: Bilingual,
    /// The heading in the inbox.
    pub title: Bilingual,
    /// The text in the inbox, in which the placeholders `{item}` and `{number}` are filled in.
    pub body: Bilingual,
}

/// A template, with the channel, language and events that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    pub channel: ChannelCode,
    pub language: Language,
    pub events: Vec<Event>,
    pub wording: Template,
}

impl Assignment {
    fn is_for(&self, channel: &ChannelCode, event: Event, language: Language) -> bool {
        self.channel == *channel && self.language == language && self.events.contains(&event)
    }
}

/// Checks one field of a template by the rules of a gateway. The arguments are the name and the text of the field; in
/// the text only the placeholder `{status}` is filled in. Returns the fault, or `None` if the gateway accepts the
/// field.
pub type FieldFault = fn(&str, &str) -> Option<&'static str>;

/// The field check of each channel's gateway. Each channel defines it in its folder under `gateway/push/`.
pub type FieldRules = BTreeMap<ChannelCode, FieldFault>;

impl Templates {
    pub(super) const fn new(events: BTreeMap<Event, Wording>, templates: Vec<Assignment>) -> Self {
        Self { events, templates }
    }

    /// Returns the template of a channel for an event, in one language. `None` if the channel has no template for it,
    /// and so sends nothing.
    pub fn for_(&self, channel: &ChannelCode, event: Event, language: Language) -> Option<&Template> {
        self.templates.iter().find(|it| it.is_for(channel, event, language)).map(|assignment| &assignment.wording)
    }

    pub fn status(&self, event: Event) -> &Bilingual {
        static NONE: Bilingual = Bilingual { zh: String::new(), en: String::new() };
        self.events.get(&event).map_or(&NONE, |wording| &wording.status)
    }

    /// Returns the title and the body of an event's notification in the inbox.
    pub fn inbox(&self, event: Event, item: &Bilingual, number: &str) -> (Bilingual, Bilingual) {
        let Some(wording) = self.events.get(&event) else { return Default::default() };
        let fill = |text: &str, item: &str| text.replace("{item}", item).replace("{number}", number);
        let body = Bilingual::new(fill(&wording.body.zh, &item.zh), fill(&wording.body.en, &item.en));
        (wording.title.clone(), body)
    }

    pub fn assignments(&self) -> &[Assignment] {
        &self.templates
    }

    /// Returns the templates in one language that need the person's consent, so that a client can ask for it. Each
    /// comes with all events that it announces.
    pub fn to_ask_for(&self, language: Language) -> Vec<ConsentTemplate> {
        let mut asked: Vec<ConsentTemplate> = Vec::new();
        let needed = |it: &&Assignment| it.language == language && it.wording.consent != Consent::NotNeeded;
        for Assignment { channel, events, wording, .. } in self.templates.iter().filter(needed) {
            match asked.iter_mut().find(|known| known.channel == *channel && known.template == wording.id) {
                Some(known) => known.events.extend(events),
                None => asked.push(ConsentTemplate {
                    channel: channel.clone(),
                    template: wording.id.clone(),
                    events: events.clone(),
                    kind: wording.consent,
                }),
            }
        }
        asked
    }

    /// The kind of consent that a template needs. `None` if the channel has no template with this id.
    pub fn consent(&self, channel: &ChannelCode, id: &str) -> Option<Consent> {
        let known = self.templates.iter().find(|it| it.channel == *channel && it.wording.id == id)?;
        Some(known.wording.consent)
    }

    pub(super) fn check(&self, rules: &FieldRules, faults: &mut Faults) {
        for event in Event::ALL {
            match self.events.get(&event) {
                None => faults.add(&format!("events.{}", event.as_str()), "is missing; add the words for this event"),
                Some(wording) => check_wording(event, wording, faults),
            }
        }
        self.check_coverage(faults);
        for assignment in &self.templates {
            self.check_fields(assignment, rules, faults);
        }
    }

    /// Checks that each channel has exactly one template, in each language, for each event that is sent to phones.
    fn check_coverage(&self, faults: &mut Faults) {
        let channels: std::collections::BTreeSet<_> = self.templates.iter().map(|it| &it.channel).collect();
        for channel in channels {
            for event in Event::ALL.into_iter().filter(|event| event.rings()) {
                for language in [Language::Chinese, Language::English] {
                    let count = self.templates.iter().filter(|it| it.is_for(channel, event, language)).count();
                    if count != 1 {
                        let place = format!("{channel}.{language}.{}", event.as_str());
                        faults.add(&place, &format!("has {count} templates; give it exactly one"));
                    }
                }
            }
        }
    }

    fn check_fields(&self, assignment: &Assignment, rules: &FieldRules, faults: &mut Faults) {
        let place = format!("{}.{}", assignment.channel, assignment.wording.id);
        for event in assignment.events.iter().filter(|event| !event.rings()) {
            faults.add(&place, &format!("{} is announced in the inbox only; remove it", event.as_str()));
        }
        for (name, pattern) in &assignment.wording.fields {
            let here = format!("{place}.{name}");
            if let Some(unknown) = unknown_placeholder(pattern) {
                faults.add(&here, &format!("{unknown} is not a known placeholder"));
            }
            for event in &assignment.events {
                let text = pattern.replace("{status}", self.status(*event).get(assignment.language));
                if let Some(wrong) = rules.get(&assignment.channel).and_then(|fault| fault(name, &text)) {
                    faults.add(&here, &format!("{} for {}", wrong, event.as_str()));
                }
            }
        }
        for (name, text) in &assignment.wording.fallbacks {
            if let Some(wrong) = fallback_fault(assignment, rules, name, text) {
                faults.add(&format!("{place}.fallbacks.{name}"), wrong);
            }
        }
    }
}

fn check_wording(event: Event, wording: &Wording, faults: &mut Faults) {
    let place = format!("events.{}", event.as_str());
    if !is_phrase(&wording.status.zh) {
        faults.add(&format!("{place}.status.zh"), "must be one to five Chinese characters");
    }
    for (name, text) in [("title", &wording.title), ("body", &wording.body), ("status", &wording.status)] {
        if text.zh.trim().is_empty() || text.en.trim().is_empty() {
            faults.add(&format!("{place}.{name}"), "needs a text in both languages");
        }
        for unknown in [&text.zh, &text.en].into_iter().filter_map(|text| unknown_placeholder(text)) {
            faults.add(&format!("{place}.{name}"), &format!("{unknown} is not a known placeholder"));
        }
    }
}

/// Returns the first placeholder `{…}` that notifications do not fill in.
fn unknown_placeholder(pattern: &str) -> Option<&str> {
    const KNOWN: [&str; 5] = ["{item}", "{status}", "{number}", "{time}", "{case}"];
    let mut rest = pattern;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map_or(rest.len(), |length| start + length + 1);
        let placeholder = &rest[start..end];
        if !KNOWN.contains(&placeholder) {
            return Some(placeholder);
        }
        rest = &rest[end..];
    }
    None
}

fn is_phrase(text: &str) -> bool {
    (1..=5).contains(&text.chars().count()) && text.chars().all(is_han)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}

/// Returns why a text cannot be the fallback of a field; `None` if it can.
fn fallback_fault(assignment: &Assignment, rules: &FieldRules, name: &str, text: &str) -> Option<&'static str> {
    if !assignment.wording.fields.contains_key(name) {
        return Some("the template has no such field; remove the fallback");
    }
    if text.trim().is_empty() || text.contains('{') {
        return Some("must be a fixed text");
    }
    rules.get(&assignment.channel).and_then(|fault| fault(name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../catalog/templates.toml");

    fn shouts(_name: &str, text: &str) -> Option<&'static str> {
        text.contains('!').then_some("shouts")
    }

    fn faults(text: &str) -> Vec<String> {
        let mut faults = Faults::of("templates.toml");
        let rules = FieldRules::from([(ChannelCode::new("wechat"), shouts as FieldFault)]);
        toml::from_str::<Templates>(text).unwrap().check(&rules, &mut faults);
        faults.into_lines()
    }

    #[test]
    fn the_shipped_templates_word_every_ringing_event() {
        assert_eq!(faults(SHIPPED), Vec::<String>::new());
        let templates: Templates = toml::from_str(SHIPPED).unwrap();
        let wechat = ChannelCode::new("wechat");
        assert!(templates.for_(&wechat, Event::Granted, Language::English).is_some());
        assert!(templates.for_(&wechat, Event::Accepted, Language::Chinese).is_none());
        let (title, body) = templates.inbox(Event::Granted, &Bilingual::new("居住证申领", "Residence permit"), "N1");
        assert_eq!(title.zh, "申请已通过");
        assert!(body.zh.contains("居住证申领") && body.en.contains("N1"), "{body:?}");
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let broken = SHIPPED
            .replace("\"准予办理\"", "\"准予办理了啊\"")
            .replace("phrase2 = \"{status}\"", "phrase2 = \"{status}!\"")
            .replace("number = \"{number}\"", "link = \"{person}\"")
            .replace("thing1 = \"政务服务事项\"", "thing9 = \"{item}\"")
            .replace("\"granted\", \"denied\"", "\"granted\"");
        let lines = faults(&broken);
        for part in
            ["events.granted.status.zh", "phrase2: shouts", "link: {person}", "wechat.zh-CN.denied", "fallbacks.thing9"]
        {
            assert!(lines.iter().any(|line| line.contains(part)), "{part} in {lines:#?}");
        }
    }
}
