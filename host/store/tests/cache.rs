//! The cache in a real Redis server: limits, documents and locks, and a server that goes away.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::{Duration, Instant};

use aureole_servers::Redis;
use aureole_store::{Admission, Cache, CacheConfig, CacheError, RateLimit};

/// More than a killed server takes to come back on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(url: &str) -> CacheConfig {
    CacheConfig {
        url: url.to_owned(),
        password: None,
        prefix: "aureole:test".to_owned(),
    }
}

fn cache(redis: &Redis) -> Cache {
    Cache::new(&config(&redis.url())).unwrap()
}

/// Asks until there is an answer: a breaker that opened closes after a moment.
async fn until<T>(mut ask: impl AsyncFnMut() -> Result<T, CacheError>) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_document_is_found_by_its_name_until_its_time_is_over() {
    let redis = Redis::start().unwrap();
    let (one, other) = (cache(&redis), cache(&redis));
    assert_eq!(until(async || one.document("a").await).await, None);
    let keep = Duration::from_secs(60);
    one.put_document("a", b"text", keep).await.unwrap();
    one.put_document("large", &vec![0; 1 << 20], keep)
        .await
        .unwrap();
    one.put_document("short", b"text", Duration::from_millis(1))
        .await
        .unwrap();
    assert_eq!(other.document("a").await.unwrap().unwrap(), b"text");
    assert_eq!(other.document("b").await.unwrap(), None);
    assert_eq!(other.document("large").await.unwrap(), None);
    until(async || match other.document("short").await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(CacheError::Late { action: "forget" }),
        Err(error) => Err(error),
    })
    .await;
    let elsewhere = CacheConfig {
        prefix: "aureole:other".to_owned(),
        ..config(&redis.url())
    };
    let elsewhere = Cache::new(&elsewhere).unwrap();
    assert_eq!(until(async || elsewhere.document("a").await).await, None);
}

#[tokio::test]
async fn processes_count_a_rate_together() {
    let redis = Redis::start().unwrap();
    let caches = [cache(&redis), cache(&redis), cache(&redis)];
    until(async || caches[0].ping().await).await;
    // A bucket of twenty that fills in twenty seconds: nothing comes back while the test runs fast.
    let limit = RateLimit {
        per_second: 1,
        burst: 20,
    };
    let begun = Instant::now();
    let mut admitted = 0;
    for turn in 0..60 {
        match until(async || caches[turn % 3].take("tenant", limit, 1).await).await {
            Admission::Admitted => admitted += 1,
            Admission::Later(wait) => {
                assert!(
                    wait <= Duration::from_secs(1) && !wait.is_zero(),
                    "{wait:?}"
                );
            }
        }
    }
    let filled = begun.elapsed().as_secs() + 1;
    assert!((20..=20 + filled).contains(&admitted), "{admitted}");
    let another = until(async || caches[0].take("another", limit, 20).await).await;
    assert_eq!(another, Admission::Admitted);
    let Admission::Later(wait) = until(async || caches[1].take("another", limit, 20).await).await
    else {
        panic!("a bucket of twenty gave forty")
    };
    assert!(wait > Duration::from_secs(10), "{wait:?}");
}

#[tokio::test]
async fn a_lock_has_one_owner_and_an_end() {
    let redis = Redis::start().unwrap();
    let (one, other) = (cache(&redis), cache(&redis));
    let minute = Duration::from_secs(60);
    let held = until(async || one.lock("sweep", minute).await)
        .await
        .unwrap();
    assert!(
        until(async || other.lock("sweep", minute).await)
            .await
            .is_none()
    );
    assert!(held.extend(minute).await.unwrap());
    assert!(held.release().await.unwrap());
    let short = Duration::from_millis(20);
    let late = other.lock("sweep", short).await.unwrap().unwrap();
    let next = until(async || match one.lock("sweep", minute).await {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(CacheError::Late { action: "end" }),
        Err(error) => Err(error),
    })
    .await;
    // Whoever overslept neither holds it longer nor takes it from the next owner.
    assert!(!late.extend(minute).await.unwrap());
    assert!(!late.release().await.unwrap());
    assert!(next.release().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_costs_a_tenth_of_a_second_and_then_nothing() {
    let redis = Redis::start().unwrap();
    let cache = cache(&redis);
    let keep = Duration::from_secs(600);
    until(async || cache.put_document("a", b"text", keep).await).await;
    redis.kill().unwrap();
    let (mut resting, mut connecting) = (false, false);
    for _ in 0..20 {
        let begun = Instant::now();
        let error = cache.document("a").await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(5), "{error}");
        connecting |= matches!(error, CacheError::Connect { .. });
        resting |= matches!(
            error,
            CacheError::Resting {
                action: "read a document"
            }
        );
    }
    assert!(connecting, "nobody tried to connect again");
    assert!(resting, "a server that is gone is asked for ever");
    redis.restart().unwrap();
    let found = until(async || cache.document("a").await).await;
    assert_eq!(found.unwrap(), b"text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_not_waited_for() {
    let redis = Redis::start().unwrap();
    let cache = cache(&redis);
    until(async || cache.ping().await).await;
    redis.pause().unwrap();
    let mut late = false;
    for _ in 0..20 {
        let error = cache.ping().await.unwrap_err();
        late |= matches!(error, CacheError::Late { action: "answer" });
    }
    assert!(late);
    redis.resume().unwrap();
    until(async || cache.ping().await).await;
}

#[tokio::test]
async fn a_flush_forgets_and_breaks_nothing() {
    let redis = Redis::start().unwrap();
    let cache = cache(&redis);
    let limit = RateLimit {
        per_second: 1,
        burst: 1,
    };
    let minute = Duration::from_secs(60);
    let lock = until(async || cache.lock("sweep", minute).await)
        .await
        .unwrap();
    cache.put_document("a", b"text", minute).await.unwrap();
    assert_eq!(
        cache.take("t", limit, 1).await.unwrap(),
        Admission::Admitted
    );
    redis.command(&["FLUSHALL"]).unwrap();
    redis.command(&["SCRIPT", "FLUSH"]).unwrap();
    assert_eq!(cache.document("a").await.unwrap(), None);
    assert_eq!(
        cache.take("t", limit, 1).await.unwrap(),
        Admission::Admitted
    );
    assert!(!lock.release().await.unwrap());
}

#[tokio::test]
async fn a_value_of_another_kind_is_an_error_and_no_answer() {
    let redis = Redis::start().unwrap();
    let cache = cache(&redis);
    let minute = Duration::from_secs(60);
    until(async || cache.put_document("a", b"text", minute).await).await;
    let key = redis.command(&["RANDOMKEY"]).unwrap();
    redis.command(&["DEL", &key]).unwrap();
    redis.command(&["LPUSH", &key, "x"]).unwrap();
    let error = cache.document("a").await.unwrap_err();
    assert!(matches!(error, CacheError::Command { .. }), "{error}");
}

#[test]
fn an_address_that_is_none_is_refused_without_being_shown() {
    for url in ["", "http://u:hunter2@h", "redis://h:port-hunter2"] {
        let error = Cache::new(&config(url)).unwrap_err();
        assert!(matches!(error, CacheError::Address), "{error}");
        assert!(!format!("{error} {error:?} {:?}", config(url)).contains("hunter2"));
    }
    let private = CacheConfig {
        password: Some("hunter2".to_owned()),
        ..config("redis://:secret@cache.example:6380/1")
    };
    let shown = format!("{private:?} {:?}", Cache::new(&private).unwrap());
    assert!(shown.contains("cache.example:6380"), "{shown}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("secret"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_password_opens_the_server() {
    let redis = Redis::start().unwrap();
    redis
        .command(&["CONFIG", "SET", "requirepass", "hunter2"])
        .unwrap();
    let error = cache(&redis).ping().await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
    let config = CacheConfig {
        password: Some("hunter2".to_owned()),
        ..config(&redis.url())
    };
    let cache = Cache::new(&config).unwrap();
    until(async || cache.ping().await).await;
}
