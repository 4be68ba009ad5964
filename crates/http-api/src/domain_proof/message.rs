//! What is asked of DNS, and what an answer says.
//!
//! Source: RFC 1035; RFC 8484 §4.1 for the id of 0.

use simple_dns::{CLASS, Name, OPCODE, Packet, PacketFlag, Question, RCODE, TYPE, rdata::RData};

/// Most aliases that are followed from the name that was asked for.
const ALIASES_MAX: usize = 8;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The texts at a name, or at what it is an alias of.
    Txt,
    /// What a name is an alias of.
    Cname,
}

/// What there is: texts, or the name without the dot at its end. None: DNS says that there is none.
pub(super) type Found = Result<Vec<String>, DnsError>;

/// Why it is not known what there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DnsError {
    /// The name can't be written.
    #[error("the name is too long")]
    Name,
    /// The resolver did not answer.
    #[error("the resolver: {0}")]
    Send(#[from] evm::SendError),
    /// The resolver answered, but not with a message.
    #[error("the resolver answered with status {0}")]
    Status(u16),
    /// The answer is none, or one to another question.
    #[error("the resolver's answer can't be read")]
    Unreadable,
    /// DNS itself has a problem, of this kind.
    #[error("the servers of the domain or of the resolver answered {0}")]
    Failed(&'static str),
}

impl Asked {
    const fn record_type(self) -> TYPE {
        match self {
            Self::Txt => TYPE::TXT,
            Self::Cname => TYPE::CNAME,
        }
    }
}

/// The question for what there is at `name`.
pub(super) fn question(name: &str, asked: Asked) -> Result<Vec<u8>, DnsError> {
    let name = Name::new(name).map_err(|_| DnsError::Name)?;
    let mut packet = Packet::new_query(0);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let record_type = asked.record_type().into();
    packet.questions.push(Question::new(name, record_type, CLASS::IN.into(), false));
    packet.build_bytes_vec().map_err(|_| DnsError::Name)
}

/// What `answer` says there is at `name`.
pub(super) fn found(answer: &[u8], name: &str, asked: Asked) -> Found {
    let name = Name::new(name).map_err(|_| DnsError::Name)?;
    let packet = Packet::parse(answer).map_err(|_| DnsError::Unreadable)?;
    if !is_answer(&packet, &name, asked) {
        return Err(DnsError::Unreadable);
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        RCODE::ServerFailure => return Err(DnsError::Failed("SERVFAIL")),
        RCODE::Refused => return Err(DnsError::Failed("REFUSED")),
        _ => return Err(DnsError::Failed("an error")),
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Err(DnsError::Unreadable);
    }
    match asked {
        Asked::Txt => Ok(texts(&packet, &name)),
        Asked::Cname => Ok(alias(&packet, &name).map(Name::to_string).into_iter().collect()),
    }
}

fn is_answer(packet: &Packet<'_>, name: &Name<'_>, asked: Asked) -> bool {
    let [question] = &packet.questions[..] else { return false };
    packet.has_flags(PacketFlag::RESPONSE)
        && packet.opcode() == OPCODE::StandardQuery
        && question.qname == *name
        && question.qtype == asked.record_type().into()
        && question.qclass == CLASS::IN.into()
}

/// The texts at `name`, or at what it is an alias of. A text in pieces is put together.
fn texts(packet: &Packet<'_>, name: &Name<'_>) -> Vec<String> {
    let mut owner = name;
    for _ in 0..ALIASES_MAX {
        match alias(packet, owner) {
            Some(target) => owner = target,
            None => break,
        }
    }
    let here = packet.answers.iter().filter(|it| it.class == CLASS::IN && it.name == *owner);
    here.filter_map(|it| match &it.rdata {
        RData::TXT(text) => String::try_from(text.clone()).ok(),
        _ => None,
    })
    .collect()
}

/// What `name` is an alias of.
fn alias<'a>(packet: &'a Packet<'a>, name: &Name<'_>) -> Option<&'a Name<'a>> {
    let mut here = packet.answers.iter().filter(|it| it.class == CLASS::IN && it.name == *name);
    here.find_map(|it| match &it.rdata {
        RData::CNAME(target) => Some(&target.0),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "_spaceport.garden.org";

    /// The question for the texts at [`NAME`], as RFC 1035 §4.1 has it.
    const QUESTION: &[u8] = b"\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x0a_spaceport\x06garden\x03org\x00\x00\x10\x00\x01";

    /// An answer with these flags, this question's type, and these records.
    fn answer(flags: [u8; 2], asked: u8, records: &[&[u8]]) -> Vec<u8> {
        let n_records = u8::try_from(records.len()).unwrap();
        let mut bytes = QUESTION.to_vec();
        bytes[2..4].copy_from_slice(&flags);
        bytes[7] = n_records;
        let type_at = bytes.len() - 3;
        bytes[type_at] = asked;
        bytes.extend(records.concat());
        bytes
    }

    #[test]
    fn a_question_is_written_as_dns_reads_it() {
        assert_eq!(question(NAME, Asked::Txt).unwrap(), QUESTION);
        let cname = question(NAME, Asked::Cname).unwrap();
        assert_eq!(cname[cname.len() - 4..], [0, 5, 0, 1]);
        let too_long = format!("{}.org", "a".repeat(64));
        assert_eq!(question(&too_long, Asked::Txt), Err(DnsError::Name));
    }

    /// Answers as resolvers write them, by hand: names are pointers to the question's (`\xc0\x0c`).
    #[test]
    fn an_answer_says_what_there_is() {
        let ok = [0x81, 0x80];
        let text: &[u8] = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x06\x05hello";
        let pieces: &[u8] = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x07\x03hel\x02lo";
        let bytes: &[u8] = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x02\x01\xff";
        // An alias of `a.garden.org`, and the text there: `a` and a pointer to `garden.org`.
        let alias: &[u8] = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01a\xc0\x17";
        let behind: &[u8] = b"\x01A\xc0\x17\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x06\x05there";
        let elsewhere: &[u8] = b"\x01b\xc0\x17\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x06\x05other";
        let to_itself: &[u8] = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c";
        let chaos: &[u8] = b"\xc0\x0c\x00\x10\x00\x03\x00\x00\x00\x3c\x00\x06\x05hello";
        let found_text = |records: &[&[u8]]| found(&answer(ok, 16, records), NAME, Asked::Txt);
        let found_alias = |records: &[&[u8]]| found(&answer(ok, 5, records), NAME, Asked::Cname);
        #[rustfmt::skip]
        let rows = [
            (found_text(&[text]),                 vec!["hello"]),
            (found_text(&[pieces]),               vec!["hello"]),
            (found_text(&[text, bytes, pieces]),  vec!["hello", "hello"]),
            (found_text(&[]),                     vec![]),
            (found_text(&[bytes]),                vec![]),
            (found_text(&[elsewhere]),            vec![]),
            (found_text(&[chaos]),                vec![]),
            (found_text(&[alias, behind]),        vec!["there"]),
            (found_text(&[behind, alias]),        vec!["there"]),
            (found_text(&[alias]),                vec![]),
            (found_text(&[alias, text]),          vec![]),
            (found_text(&[to_itself, text]),      vec!["hello"]),
            (found_alias(&[alias]),               vec!["a.garden.org"]),
            (found_alias(&[alias, behind]),       vec!["a.garden.org"]),
            (found_alias(&[text]),                vec![]),
            (found_alias(&[]),                    vec![]),
        ];
        for (index, (got, want)) in rows.into_iter().enumerate() {
            let want = want.into_iter().map(str::to_owned).collect();
            assert_eq!(got, Ok(want), "row {index}");
        }
    }

    #[test]
    fn what_is_no_answer_to_the_question_says_nothing() {
        let text: &[u8] = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x06\x05hello";
        let good = answer([0x81, 0x80], 16, &[text]);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let loop_at = QUESTION.len();
        #[rustfmt::skip]
        let rows = [
            ("nothing",                 vec![],                       DnsError::Unreadable),
            ("half of it",              good[..good.len() / 2].to_vec(), DnsError::Unreadable),
            ("a question",              with(2, 0x01),                DnsError::Unreadable),
            ("another kind",            with(2, 0x91),                DnsError::Unreadable),
            ("cut off",                 with(2, 0x83),                DnsError::Unreadable),
            ("no question",             with(5, 0),                   DnsError::Unreadable),
            ("another name",            with(14, b'x'),               DnsError::Unreadable),
            ("another type",            with(35, 5),                  DnsError::Unreadable),
            ("another class",           with(37, 3),                  DnsError::Unreadable),
            ("a pointer to itself",     with(loop_at + 1, u8::try_from(loop_at).unwrap()), DnsError::Unreadable),
            ("a pointer to nowhere",    with(loop_at + 1, 0xff),      DnsError::Unreadable),
            ("servers that fail",       with(3, 0x82),                DnsError::Failed("SERVFAIL")),
            ("servers that refuse",     with(3, 0x85),                DnsError::Failed("REFUSED")),
            ("a code nobody knows",     with(3, 0x8f),                DnsError::Failed("an error")),
        ];
        for (what, bytes, want) in rows {
            assert_eq!(found(&bytes, NAME, Asked::Txt), Err(want), "{what}");
        }
        let no_such_name = answer([0x81, 0x83], 16, &[]);
        assert_eq!(found(&no_such_name, NAME, Asked::Txt), Ok(vec![]));
    }

    proptest::proptest! {
        /// Whatever a resolver sends, it is read or refused.
        #[test]
        fn no_bytes_break_anything(bytes: Vec<u8>, records: Vec<u8>, at: u8, byte: u8) {
            let _ = found(&bytes, NAME, Asked::Txt);
            let mut near = answer([0x81, 0x80], 16, &[&records, b"\xc0\x0c\x00\x10\x00\x01"]);
            let index = usize::from(at) % near.len();
            near[index] = byte;
            let _ = found(&near, NAME, Asked::Txt);
            let _ = found(&near, NAME, Asked::Cname);
        }
    }
}
