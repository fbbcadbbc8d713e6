//! A safe agent: messages of the WebSocket protocol and their frames.

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close,
}

impl Message {
    fn opcode(&self) -> u8 {
        match self {
            Message::Text(_) => 1,
            Message::Binary(_) => 2,
            Message::Close => 8,
            Message::Ping(_) => 9,
            Message::Pong(_) => 10,
        }
    }

    pub fn into_data(self) -> Vec<u8> {
        match self {
            Message::Text(text) => text.into_bytes(),
            Message::Binary(data) | Message::Ping(data) | Message::Pong(data) => data,
            Message::Close => Vec::new(),
        }
    }
}

/// Writes one message as a single frame without a mask.
pub fn encode(message: Message) -> Vec<u8> {
    let opcode = message.opcode();
    let data = message.into_data();
    let mut frame = vec![0x80 | opcode];
    match data.len() {
        0..=125 => frame.push(data.len() as u8),
        126..=65_535 => {
            frame.push(126);
            frame.extend((data.len() as u16).to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((data.len() as u64).to_be_bytes());
        }
    }
    frame.extend(data);
    frame
}
