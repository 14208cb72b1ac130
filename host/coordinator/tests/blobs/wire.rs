//! The services take what is well-formed and refuse the rest.

use aureole_api::internal::v1;
use aureole_api::internal::v1::blobs_client::BlobsClient;
use aureole_api::internal::v1::replicas_client::ReplicasClient;
use aureole_api::transfer;
use aureole_ledger::Digest;
use aureole_store::BLOB_BYTES_MAX;
use bytes::Bytes;
use std::sync::atomic::Ordering;
use tonic::Code;
use tonic::transport::Channel;

use crate::town::{Town, channel};

fn client(town: &Town, member: u64) -> BlobsClient<Channel> {
    BlobsClient::new(channel(&town.member(member).address()))
}

fn part(digest: &Digest, offset: u64, length: u64) -> v1::GetBlobRequest {
    v1::GetBlobRequest {
        digest: digest.as_bytes().to_vec(),
        offset,
        length,
    }
}

#[tokio::test]
async fn a_worker_puts_on_a_majority_and_gets_from_whoever_it_asks() {
    let town = Town::of(3).await;
    let bytes = Bytes::from(vec![7; 600_000]);
    let digest = Digest::of(&bytes);
    let messages = transfer::put_messages(digest.as_bytes(), &bytes);
    client(&town, 1).put(messages).await.unwrap();
    assert!(town.holders(&digest).await.len() >= 2);
    for member in [1, 2, 3] {
        // Whoever lacks it pulls it first.
        town.member(member)
            .replicated
            .local()
            .remove(&digest)
            .await
            .unwrap();
        let mut client = client(&town, member);
        let has = v1::HasBlobsRequest {
            digests: vec![digest.as_bytes().to_vec(), vec![0; 32]],
        };
        assert_eq!(
            client.has(has).await.unwrap().into_inner().has,
            [true, false]
        );
        let mut stream = client
            .get(part(&digest, 5, 500_000))
            .await
            .unwrap()
            .into_inner();
        let (total, read) = transfer::read_part(&mut stream, 500_000).await.unwrap();
        assert_eq!((total, read.len()), (600_000, 500_000));
    }
}

#[tokio::test]
async fn bytes_that_are_not_those_announced_are_refused() {
    let town = Town::of(1).await;
    let (digest, wrong) = (Digest::of(b"right"), Bytes::from_static(b"wrong"));
    let put = async |messages: Vec<v1::PutBlobRequest>| {
        let sent = client(&town, 1).put(futures::stream::iter(messages)).await;
        sent.unwrap_err().code()
    };
    let head = |total| v1::PutBlobRequest {
        head: Some(v1::BlobHead {
            digest: digest.as_bytes().to_vec(),
            total,
        }),
        bytes: Bytes::new(),
    };
    let body = || v1::PutBlobRequest {
        head: None,
        bytes: wrong.clone(),
    };
    assert_eq!(put(vec![head(5), body()]).await, Code::DataLoss);
    assert_eq!(put(vec![head(6), body()]).await, Code::InvalidArgument);
    assert_eq!(put(vec![head(4), body()]).await, Code::InvalidArgument);
    assert_eq!(put(vec![body()]).await, Code::InvalidArgument);
    assert_eq!(put(vec![]).await, Code::InvalidArgument);
    assert_eq!(put(vec![head(BLOB_BYTES_MAX + 1)]).await, Code::OutOfRange);
    assert!(
        town.member(1)
            .replicated
            .local()
            .list()
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_no_digest_task_or_key_is_refused() {
    let town = Town::of(1).await;
    let mut blobs = client(&town, 1);
    let short = v1::GetBlobRequest::default();
    assert_eq!(
        blobs.get(short).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let many = v1::HasBlobsRequest {
        digests: vec![vec![0; 32]; 1025],
    };
    assert_eq!(blobs.has(many).await.unwrap_err().code(), Code::OutOfRange);
    let unknown = blobs.get(part(&Digest::of(b"x"), 0, 1)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut replicas = ReplicasClient::new(channel(&town.member(1).address()));
    let key = v1::PutKeyRequest {
        task_id: vec![1; 16],
        input: vec![2; 32],
        key: vec![3; 31],
    };
    let refused = replicas.put_key(key.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let no_task = v1::PutKeyRequest {
        task_id: vec![1; 15],
        key: vec![3; 32],
        ..key
    };
    let refused = replicas.put_key(no_task).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let none = v1::GetKeyRequest {
        task_id: vec![1; 16],
        input: vec![2; 32],
    };
    assert_eq!(replicas.get_key(none).await.unwrap().into_inner().key, None);
}

#[tokio::test]
async fn a_refusal_carries_the_stable_code() {
    let mut town = Town::of(3).await;
    let bytes = Bytes::from_static(b"bytes");
    let messages = || transfer::put_messages(Digest::of(&bytes).as_bytes(), &bytes);
    town.member(1).gauge.0.store(0, Ordering::SeqCst);
    let full = client(&town, 1).put(messages()).await.unwrap_err();
    assert_eq!(full.code(), Code::ResourceExhausted);
    assert_eq!(transfer::code_of(&full), Some("node.disk_full"));
    town.member(1).gauge.0.store(1 << 39, Ordering::SeqCst);
    town.stop(2).await;
    town.stop(3).await;
    let few = client(&town, 1).put(messages()).await.unwrap_err();
    assert_eq!(few.code(), Code::Unavailable);
    assert_eq!(transfer::code_of(&few), Some("node.no_majority"));
}
