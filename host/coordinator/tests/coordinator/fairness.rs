//! Promise P20: a tenant with a thousand tasks waiting delays another tenant's first one by the task
//! that is running, and by no more.

use aureole_ledger::{Command, Digest, Outcome, Priority, TaskId, TenantId};

use crate::kit::{Node, PROOF, attempt_of, circuit_id};

/// Tasks that wait when the other tenant comes.
const FLOOD: u32 = 1_000;

fn task(number: u32) -> TaskId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    TaskId::from_bytes(bytes)
}

async fn submit(node: &Node, number: u32, tenant: &str) {
    let command = Command::SubmitTask {
        task: task(number),
        circuit: circuit_id(),
        input: Digest::of(b"sealed"),
        priority: Priority::DEFAULT,
        idempotency: None,
        now: 1_000_000,
        tenant: TenantId::new(tenant).unwrap(),
        deadline: None,
        input_bytes: 0,
    };
    let outcome = node.coordinator.propose(command).await.unwrap();
    assert!(
        matches!(outcome, Outcome::TaskSubmitted { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_thousand_tasks_of_one_tenant_delay_anothers_first_by_one_running_task() {
    let node = Node::ready().await;
    for number in 0..FLOOD {
        submit(&node, number, "flood").await;
    }
    let mut worker = node.join("w").await;
    for guest in 0..10 {
        let running = attempt_of(&worker.lease().await);
        let number = FLOOD + guest;
        submit(&node, number, &format!("guest-{guest}")).await;
        assert_eq!(worker.prove(&node, running, PROOF).await, None);
        let next = attempt_of(&worker.lease().await);
        assert_eq!(
            next.task_id,
            task(number).as_bytes(),
            "guest {guest} waited for more than the task that was running"
        );
        assert_eq!(worker.prove(&node, next, PROOF).await, None);
    }
}
