//! Lists over their pages, and acts on a document that may have changed.

use aureole_client::rest::{TaskState, Timestamp};
use aureole_client::{Error, Sort, TaskQuery};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use crate::script::{TASK, answer, document, refusal, script, task};

fn query() -> TaskQuery {
    TaskQuery {
        state: Some(TaskState::Done),
        plugin: Some("merkle".to_owned()),
        circuit: Some("cir_1".to_owned()),
        since: Some(Timestamp::from_millis(0)),
        until: Some(Timestamp::from_millis(1)),
        sort: Sort::Oldest,
        before: None,
        limit: Some(2),
    }
}

#[tokio::test]
async fn a_stream_of_tasks_reads_page_after_page_with_the_same_filters() {
    let first = json!({"tasks": [task("done"), task("failed")], "next": "a.b"});
    let last = json!({"tasks": [task("done")]});
    let (client, server) = script(vec![document(&first), document(&last)]).await;
    let tasks: Vec<_> = client.all_tasks(query()).try_collect().await.unwrap();
    assert_eq!(tasks.len(), 3);
    let asked = server.await.unwrap();
    let filters = "/api/v1/tasks?state=done&plugin=merkle&circuit=cir_1\
                   &since=1970-01-01T00%3A00%3A00.000Z&until=1970-01-01T00%3A00%3A00.001Z\
                   &sort=oldest";
    assert_eq!(asked[0].line(), format!("GET {filters}&limit=2"));
    assert_eq!(asked[1].line(), format!("GET {filters}&before=a.b&limit=2"));
}

#[tokio::test]
async fn a_page_is_read_when_its_first_task_is_taken() {
    let first = json!({"tasks": [task("done")], "next": "more"});
    let (client, server) = script(vec![document(&first)]).await;
    let mut tasks = std::pin::pin!(client.all_tasks(TaskQuery::default()));
    tasks.next().await.unwrap().unwrap();
    // The server is gone, and was asked once.
    assert_eq!(server.await.unwrap()[0].line(), "GET /api/v1/tasks");
    let error = tasks.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(tasks.next().await.is_none(), "an error is the last item");
}

#[tokio::test]
async fn an_act_is_done_only_on_what_was_seen() {
    let tagged = answer(
        200,
        "etag: \"abc\"\r\n",
        "application/json",
        &task("queued").to_string(),
    );
    let replies = vec![tagged, refusal(412, "request.precondition")];
    let (client, server) = script(replies).await;
    let seen = client.task_tagged(TASK).await.unwrap();
    assert_eq!(seen.document.state, TaskState::Queued);
    assert_eq!(seen.tag.to_string(), "\"abc\"");
    let error = client.cancel_if(TASK, &seen.tag).await.unwrap_err();
    assert_eq!(error.code(), Some("request.precondition"));
    let asked = server.await.unwrap();
    assert_eq!(asked[1].line(), format!("DELETE /api/v1/tasks/{TASK}"));
    assert_eq!(asked[1].field("if-match"), Some("\"abc\""));
}

#[tokio::test]
async fn a_document_without_its_tag_is_no_nodes() {
    let (client, _server) = script(vec![document(&task("queued"))]).await;
    let error = client.task_tagged(TASK).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
}
