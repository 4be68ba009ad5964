//! DNS over HTTPS for tests: a table of records, and an answer to each question.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use evm::{Reply, SendError};
use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE,
    rdata::{CNAME, RData, TXT},
};

use crate::TestPlatform;

/// The records of all of DNS, and the questions that were asked. Clones are the same one.
#[derive(Clone, Default)]
pub struct Dns(Arc<Mutex<Zone>>);

#[derive(Default)]
struct Zone {
    /// Texts, by name in lower case.
    texts: BTreeSet<(String, String)>,
    /// Aliases, by name in lower case.
    aliases: BTreeSet<(String, String)>,
    /// What is answered instead, if anything.
    failure: Option<Failure>,
    n_questions: usize,
}

/// How DNS fails.
#[derive(Clone, Debug)]
pub enum Failure {
    /// With this code in an answer.
    Code(RCODE),
    /// With this status, and no answer.
    Status(u16),
    /// With these bytes for an answer.
    Bytes(Vec<u8>),
    /// Without a response.
    Send(SendError),
}

impl Dns {
    /// The DNS that `platform` asks from now on. It is empty.
    #[must_use]
    pub fn of(platform: &TestPlatform) -> Self {
        let dns = Self::default();
        let asked = dns.clone();
        platform.set_resolver(move |_, question| asked.answer(question));
        dns
    }

    /// Adds a text at `name`.
    pub fn add_text(&self, name: &str, text: &str) {
        self.0.lock().unwrap().texts.insert((name.to_ascii_lowercase(), text.to_owned()));
    }

    /// Makes `name` an alias of `target`.
    pub fn add_alias(&self, name: &str, target: &str) {
        self.0.lock().unwrap().aliases.insert((name.to_ascii_lowercase(), target.to_owned()));
    }

    /// Removes all records.
    pub fn clear(&self) {
        let mut zone = self.0.lock().unwrap();
        zone.texts.clear();
        zone.aliases.clear();
    }

    /// Lets everything fail from now on, or nothing any more.
    pub fn fail(&self, failure: Option<Failure>) {
        self.0.lock().unwrap().failure = failure;
    }

    /// How many questions were asked.
    #[must_use]
    pub fn n_questions(&self) -> usize {
        self.0.lock().unwrap().n_questions
    }

    fn answer(&self, question: &[u8]) -> Result<Reply, SendError> {
        let mut zone = self.0.lock().unwrap();
        zone.n_questions += 1;
        let code = match zone.failure.clone() {
            None => None,
            Some(Failure::Code(code)) => Some(code),
            Some(Failure::Status(status)) => return Ok(Reply { status, body: Vec::new() }),
            Some(Failure::Bytes(body)) => return Ok(Reply { status: 200, body }),
            Some(Failure::Send(error)) => return Err(error),
        };
        let question = Packet::parse(question).unwrap();
        assert_eq!(
            question.id(),
            0,
            "what is asked over HTTPS has no id, so that it can be cached"
        );
        assert!(question.has_flags(PacketFlag::RECURSION_DESIRED));
        let [asked] = &question.questions[..] else { panic!("one question at a time") };
        let mut answer = Packet::new_reply(0);
        answer.questions.clone_from(&question.questions);
        match code {
            Some(code) => *answer.rcode_mut() = code,
            None => zone.look_up(&asked.qname, asked.qtype, &mut answer),
        }
        Ok(Reply { status: 200, body: answer.build_bytes_vec_compressed().unwrap() })
    }
}

impl Zone {
    /// Follows aliases as a resolver does.
    fn look_up(&self, name: &Name<'_>, asked: QTYPE, answer: &mut Packet<'_>) {
        let mut name = name.to_string().to_ascii_lowercase();
        while let Some((_, target)) = self.aliases.iter().find(|(owner, _)| *owner == name) {
            answer.answers.push(record(&name, RData::CNAME(CNAME(Name::new(target).unwrap()))));
            if asked == TYPE::CNAME.into() {
                return;
            }
            name = target.to_ascii_lowercase();
        }
        let texts = self.texts.iter().filter(|(owner, _)| *owner == name).map(|(_, text)| text);
        for text in texts.filter(|_| asked == TYPE::TXT.into()) {
            let text = TXT::try_from(text.as_str()).unwrap();
            answer.answers.push(record(&name, RData::TXT(text)));
        }
        if answer.answers.is_empty() {
            *answer.rcode_mut() = RCODE::NameError;
        }
    }
}

fn record(name: &str, data: RData<'_>) -> ResourceRecord<'static> {
    ResourceRecord::new(Name::new(name).unwrap(), CLASS::IN, 60, data).into_owned()
}
