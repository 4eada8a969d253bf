//! Computes the hash slot of a key. A cluster spreads the slots over its nodes (Redis Cluster Specification, *Key
//! distribution model* and *Hash tags*).

pub const SLOTS: u16 = 16_384;

/// Returns the slot of a key: the hash of the text in its first braces, or of the whole key if there is no such text.
pub fn of(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(key).as_bytes()) % SLOTS
}

/// Computes the CRC-16/XMODEM checksum, which the specification requires.
fn crc16(bytes: &[u8]) -> u16 {
    const POLYNOMIAL: u16 = 0x1021;
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(of("foo"), 12_182);
        assert_eq!(of("{user1000}.following"), of("{user1000}.followers"));
        assert_eq!(of("foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS, "empty braces hold nothing");
        assert_eq!(of("foo{{bar}}zap"), crc16(b"{bar") % SLOTS);
        assert_eq!(of("foo{bar}{zap}"), crc16(b"bar") % SLOTS);
        assert_eq!(of("foo{bar"), crc16(b"foo{bar") % SLOTS);
    }
}
