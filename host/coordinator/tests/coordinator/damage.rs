//! Folders that are damaged, or another's: the member does not start, and says what to do.

use aureole_coordinator::{Founding, LogError, StartError};

use crate::group::{Group, numbered};

#[tokio::test]
async fn one_flipped_bit_in_a_members_log_is_found_before_it_votes() {
    let mut group = Group::of(3).await;
    for number in 0..20 {
        group.submit(numbered(number)).await;
    }
    let hurt = group.leader().await.id() % 3 + 1;
    group.stop(hurt).await;
    let path = group.dir.path().join(format!("member-{hurt}/log"));
    let good = std::fs::read(&path).unwrap();
    // Somewhere in what an entry says: task 7's id stands there as it is.
    let needle = numbered(7);
    let at = good
        .windows(16)
        .position(|window| window == needle.as_bytes())
        .expect("the entry stands in the file");
    let mut bad = good.clone();
    bad[at] ^= 0x10;
    std::fs::write(&path, &bad).unwrap();
    let config = group.config(hurt);
    let error = group.start_with(hurt, config).await.unwrap_err();
    assert!(matches!(error, StartError::Log(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("remove it from the group and add it again"),
        "{error}"
    );

    // What the message says is what helps.
    group.wipe(hurt);
    let mut config = group.config(hurt);
    config.founding = Founding::Join;
    group.start_with(hurt, config).await.unwrap();
    let leader = group.leader().await;
    let address = group.seats[&hurt].address.to_string();
    leader.remove_member(hurt).await.unwrap();
    leader.add_member(hurt, &address).await.unwrap();
    assert_eq!(group.agree().await, 20);
    group.shutdown().await;
}

#[tokio::test]
async fn a_folder_is_one_members_of_one_cluster() {
    let mut group = Group::of(1).await;
    group.stop(1).await;
    let mut config = group.config(1);
    config.cluster = "another".to_owned();
    let error = group.start_with(1, config).await.unwrap_err();
    let StartError::Log(log @ LogError::Identity { .. }) = error else {
        panic!("{error:?}");
    };
    assert!(
        log.to_string().contains("member 1 of cluster \"tests\""),
        "{log}"
    );
    group.seat(2).await;
    let mut config = group.config(2);
    config.dir = group.config(1).dir;
    let error = group.start_with(2, config).await.unwrap_err();
    assert!(
        matches!(error, StartError::Log(LogError::Identity { .. })),
        "{error:?}"
    );
    group.start(1).await;
    group.submit(numbered(1)).await;
    group.shutdown().await;
}

#[tokio::test]
async fn a_configuration_that_makes_no_group_is_refused() {
    let mut group = Group::seated(3, 2000).await;
    let refused = async |group: &mut Group, config, expected: &str| {
        let error = group.start_with(1, config).await.unwrap_err();
        assert!(matches!(error, StartError::Config { .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    let mut config = group.config(1);
    config.cluster = String::new();
    refused(&mut group, config, "no name").await;
    let mut config = group.config(1);
    config.address = String::new();
    refused(&mut group, config, "no address").await;
    let mut config = group.config(1);
    config.address = "127.0.0.1:9".to_owned();
    refused(&mut group, config, "among the founders it has").await;
    let mut config = group.config(1);
    config.node_id = 9;
    refused(&mut group, config, "not among the founders").await;
}
