//! Replaying the log gives the same state, from the beginning or from any snapshot. The simulated
//! coordinator compares digests at each of its restarts as well.

use aureole_sim::{Invariant, Profile, Step, World, digest, runs};

#[derive(Default)]
struct Replay;

impl Invariant for Replay {
    fn step(&mut self, _: &Step<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        let live = digest(&world.node.state)?;
        let states = [
            ("the log", world.node.replayed()?),
            (
                "the snapshot and the rest of the log",
                world.node.recovered()?,
            ),
        ];
        for (source, state) in states {
            let found = digest(&state)?;
            if found != live {
                return Err(format!("{source} gives {found}, not {live}"));
            }
        }
        Ok(())
    }
}

#[test]
fn every_replay_gives_the_same_state() -> Result<(), String> {
    runs::<Replay>("every_replay_gives_the_same_state", Profile::STORM, 300).map(drop)
}

#[test]
fn a_seed_gives_one_world() -> Result<(), String> {
    let end = || {
        let mut world = World::new(7, Profile::STORM)?;
        world.run(&mut [])?;
        digest(&world.node.state)
    };
    assert_eq!(end()?, end()?);
    Ok(())
}
