use raft::eraftpb::{Entry, Message, MessageType};

use super::{ENTRY_FRAME_BYTES, portions_of};

fn append(sizes: &[usize]) -> Message {
    let mut message = Message::default();
    message.set_msg_type(MessageType::MsgAppend);
    (message.from, message.to, message.term) = (1, 2, 9);
    (message.index, message.log_term, message.commit) = (100, 3, 250);
    for (position, size) in sizes.iter().enumerate() {
        let mut entry = Entry { index: 101 + position as u64, term: 4, ..Entry::default() };
        entry.data = vec![7; size - ENTRY_FRAME_BYTES].into();
        message.mut_entries().push(entry);
    }
    message
}

#[test]
fn each_portion_follows_the_one_before() {
    let whole = append(&[100, 100, 100, 300, 100, 150, 100]);
    let parts = portions_of(whole.clone(), 250);
    let counts: Vec<usize> = parts.iter().map(|part| part.get_entries().len()).collect();
    assert_eq!(counts, [2, 1, 1, 2, 1]);
    let mut before = (whole.index, whole.log_term);
    let mut entries = Vec::new();
    for part in parts {
        assert_eq!((part.index, part.log_term), before);
        let last = part.get_entries().last().unwrap();
        before = (last.index, last.term);
        entries.extend(part.get_entries().to_vec());
        let mut rest = part.clone();
        rest.clear_entries();
        (rest.index, rest.log_term) = (whole.index, whole.log_term);
        let mut head = whole.clone();
        head.clear_entries();
        assert_eq!(rest, head, "nothing else differs");
    }
    assert_eq!(entries, whole.get_entries().to_vec());
}

#[test]
fn what_is_small_or_no_append_stays_whole() {
    for whole in [append(&[]), append(&[900]), append(&[100, 100])] {
        assert_eq!(portions_of(whole.clone(), 250), [whole]);
    }
    let mut other = append(&[200, 200]);
    other.set_msg_type(MessageType::MsgPropose);
    assert_eq!(portions_of(other.clone(), 250), [other]);
}
