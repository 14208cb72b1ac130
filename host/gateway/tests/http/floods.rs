//! HTTP/2 by hand: floods of frames that cost the sender less than the reader.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::wire::{PATIENCE, server};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// `GET / http://a` by the static table, with an authority of one letter.
const HEADERS: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

const DATA: u8 = 0;
const HEAD: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Odd numbers, as clients count streams.
fn streams() -> impl Iterator<Item = u32> {
    (0..).map(|number| 2 * number + 1)
}

#[tokio::test]
async fn every_flood_of_http2_is_ended_or_served_and_the_others_are_served() {
    let server = server().await;
    let ended = END_HEADERS | END_STREAM;
    let resets = streams().take(100_000).flat_map(|stream| {
        let mut both = frame(HEAD, ended, stream, HEADERS);
        both.extend(frame(RESET, 0, stream, &8_u32.to_be_bytes()));
        both
    });
    let opened = streams().take(100_000);
    let opened = opened.flat_map(|stream| frame(HEAD, END_HEADERS, stream, HEADERS));
    let mut endless = frame(HEAD, 0, 1, HEADERS);
    let piece = [[0x40, 1, b'x', 1, b'y'].as_slice(); 1000].concat();
    for _ in 0..20_000 {
        endless.extend(frame(CONTINUATION, 0, 1, &piece));
        if endless.len() > 32 * 1024 * 1024 {
            break;
        }
    }
    let mut empty = frame(HEAD, END_HEADERS, 1, HEADERS);
    empty.extend((0..200_000).flat_map(|_| frame(DATA, 0, 1, &[])));
    let settings = (0..200_000).flat_map(|_| frame(SETTINGS, 0, 0, &[]));
    let pings = (0..200_000).flat_map(|_| frame(PING, 0, 0, &[0; 8]));
    let window: Vec<u8> = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let starved = window.into_iter().chain(
        streams()
            .take(1000)
            .flat_map(|stream| frame(HEAD, ended, stream, HEADERS)),
    );
    let floods: [(&str, Vec<u8>); 7] = [
        ("resets", resets.collect()),
        ("streams without end", opened.collect()),
        ("a head without end", endless),
        ("empty data", empty),
        ("settings", settings.collect()),
        ("pings", pings.collect()),
        ("windows of nothing", starved.collect()),
    ];
    for (what, flood) in floods {
        let mut stream = server.connect().await;
        stream.write_all(PREFACE).await.unwrap();
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let send = async {
            // The gateway may close while it comes.
            let _closed = writer.write_all(&flood).await;
            let _closed = writer.shutdown().await;
        };
        let read = async {
            let mut bytes = Vec::new();
            // A reset is an end as good as another.
            let _reset = reader.read_to_end(&mut bytes).await;
        };
        let both = timeout(PATIENCE, async { tokio::join!(send, read) }).await;
        assert!(both.is_ok(), "{what} goes on");
        server.assert_alive().await;
    }
}
