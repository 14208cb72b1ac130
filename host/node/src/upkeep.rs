//! What operators have the coordinators do to their disks: `aureole cluster gc`.

use std::error::Error;

use async_trait::async_trait;
use aureole_api::internal::v1::upkeep_server::{self, UpkeepServer};
use aureole_api::internal::v1::{self, member_collected::Outcome};
use aureole_coordinator::blobs::{
    CollectedReport, Collector, MemberCollected, Replicated, collect_everywhere,
};
use tonic::{Request, Response, Status};

/// Serves operators.
#[derive(Debug)]
pub(crate) struct UpkeepService {
    replicated: Replicated,
    collector: Collector,
}

// === impl UpkeepService ===

impl UpkeepService {
    pub(crate) fn server(replicated: Replicated, collector: Collector) -> UpkeepServer<Self> {
        UpkeepServer::new(Self {
            replicated,
            collector,
        })
    }
}

#[async_trait]
impl upkeep_server::Upkeep for UpkeepService {
    async fn collect(
        &self,
        request: Request<v1::CollectRequest>,
    ) -> Result<Response<v1::CollectedReply>, Status> {
        let dry_run = request.into_inner().dry_run;
        let mut members = collect_everywhere(&self.replicated, &self.collector, dry_run).await;
        members.sort_by_key(|member| member.member);
        let members = members.into_iter().map(told).collect();
        Ok(Response::new(v1::CollectedReply { members }))
    }
}

fn told(member: MemberCollected) -> v1::MemberCollected {
    let outcome = match member.outcome {
        Ok(report) => Outcome::Collected(reply(report)),
        Err(error) => Outcome::Failure(causes(&error)),
    };
    v1::MemberCollected {
        member: member.member,
        outcome: Some(outcome),
    }
}

fn reply(report: CollectedReport) -> v1::CollectReply {
    let blobs = report.blobs.into_iter();
    v1::CollectReply {
        blobs: blobs
            .map(|(digest, bytes)| v1::CollectedBlob {
                digest: digest.as_bytes().to_vec(),
                bytes,
            })
            .collect(),
        count: report.count,
        bytes: report.bytes,
        referenced: report.referenced,
        young: report.young,
    }
}

/// An error with everything that led to it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    //! What a member did and why one did not arrive whole.

    use super::{Outcome, told};
    use aureole_coordinator::blobs::{CollectError, CollectedReport, MemberCollected};
    use aureole_ledger::Digest;

    #[test]
    fn a_report_and_a_failure_are_told_with_their_member() {
        let report = CollectedReport {
            blobs: vec![(Digest::from_bytes([7; 32]), 9)],
            count: 1,
            bytes: 9,
            referenced: 3,
            young: 2,
        };
        let member = told(MemberCollected {
            member: 2,
            outcome: Ok(report),
        });
        let Some(Outcome::Collected(reply)) = member.outcome else {
            unreachable!("a report is no failure: {member:?}");
        };
        assert_eq!((member.member, reply.count, reply.young), (2, 1, 2));
        let member = told(MemberCollected {
            member: 3,
            outcome: Err(CollectError::Roots("far behind".into())),
        });
        let Some(Outcome::Failure(why)) = member.outcome else {
            unreachable!("a failure is no report: {member:?}");
        };
        assert!(why.contains("nothing is removed: far behind"), "{why}");
    }
}
