//! What a tick takes of those that wait: nothing is left behind, and nothing overtakes.

use super::*;
use crate::sim::random::{Purpose, Stream};
use proptest::prelude::*;

const TICK: SimDuration = SimDuration(100_000);

/// On a machine to which one costs 20 µs, and where as many come with each tick.
fn load(waiting: usize, arrived: usize) -> Load {
    Load {
        waiting,
        arrived,
        per_s: arrived as f64 / TICK.as_secs(),
        is_asked: false,
        each_s: EACH_S,
    }
}

/// What is left of these arrivals, tick by tick, where nobody waits for decisions.
fn left(waiting: usize, arrivals: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let (mut waiting, mut pulse) = (waiting, Pulse::calm());
    let mut tick = |arrived| {
        waiting += arrived;
        pulse.feel(arrived, TICK);
        let per_s = pulse.per_s;
        waiting -= share(
            Load {
                per_s,
                ..load(waiting, arrived)
            },
            TICK,
        );
        waiting
    };
    arrivals.into_iter().map(&mut tick).collect()
}

/// Ten minutes of arrivals, 20,000 a second on average, each tick's up to this part more or less.
fn scattered(part: f64, seed: u64) -> Vec<usize> {
    let mut stream = Stream::new(seed, 0, Purpose::Load);
    let mut arrived = || 2_000.0 * (1.0 + part * stream.uniform_in(-1.0, 1.0));
    (0..6_000).map(|_| arrived().round() as usize).collect()
}

#[test]
fn what_the_world_can_carry_is_admitted_at_the_next_tick() {
    for tick in [0.01, 0.1, 1.0].map(SimDuration::from_secs) {
        let carried = (CARRIED_PER_SECOND * tick.as_secs()) as usize;
        for count in [0, 1, 60, carried].map(|count| count.min(ADMITTED_PER_TICK)) {
            let per_s = count as f64 / tick.as_secs();
            assert_eq!(
                share(
                    Load {
                        per_s,
                        ..load(count, count)
                    },
                    tick
                ),
                count
            );
        }
    }
    assert_eq!(left(0, [2_000; 100]), [0; 100], "20,000 a second for ten seconds");
    let (lull, busy) = (left(40_000, [1_000; 100]), left(0, [2_500; 1_200]));
    assert_eq!(
        lull[99], 0,
        "what waited is caught up with beside a steady 10,000 a second"
    );
    let (last, before) = (busy[1_199], busy[1_198]);
    assert!(
        last.abs_diff(before) < 10,
        "at 25,000 a second an equilibrium is reached"
    );
    assert!(last < WELL_FILLED + 40_000, "{last}");
}

#[test]
fn what_comes_too_fast_is_admitted_the_less_the_faster_it_comes() {
    let admitted =
        [2_000, 2_100, 2_250, 2_400, 2_500, 3_000].map(|arrived| share(load(6_000, arrived), TICK));
    assert_eq!(admitted, [2_510, 2_410, 2_260, 1_210, 510, 510]);
}

#[test]
fn what_the_world_can_carry_leaves_nobody_waiting_however_unevenly_it_comes() {
    let second = 20_000;
    for (part, most, on_average) in [(0.1, 0, 0), (0.25, second / 2, 200), (0.5, second * 3, 2_000)] {
        for seed in 1..=20 {
            let left = left(0, scattered(part, seed));
            let mean = left.iter().sum::<usize>() / left.len();
            let longest = left.iter().copied().max().unwrap_or_default();
            assert!(
                mean <= on_average && longest <= most,
                "±{part}, seed {seed}: {mean} and up to {longest} wait"
            );
        }
    }
    let held_up = [2_000, 2_000, 2_000, 0, 0, 6_000].repeat(1_000);
    let left = left(0, held_up);
    let longest = left.iter().max();
    assert!(
        longest < Some(&4_000),
        "a flush that takes three ticks: {longest:?}"
    );
    assert!(left[3_000..].contains(&0), "and is made good after it");
}

#[test]
fn a_spike_out_of_a_lull_is_known_by_its_first_tick_and_unevenness_is_no_spike() {
    let mut pulse = Pulse::calm();
    let mut after = |arrived| {
        pulse.feel(arrived, TICK);
        pulse.per_s.round()
    };
    assert_eq!(after(500), 5_000.0);
    assert_eq!(after(5_000), 50_000.0);
    assert_eq!(after(1_000), 30_000.0, "two ticks, one like the other");
    let steady: Vec<f64> = (0..100).map(|_| after(2_000)).collect();
    assert_eq!(steady[99], 20_000.0);
    assert_eq!(after(3_000), 21_000.0, "a tenth of the second");
    let mut long = Pulse::calm();
    for arrived in [100_000, 20_000] {
        long.feel(arrived, SimDuration::from_secs(2.0));
        assert_eq!(
            long.per_s,
            arrived as f64 / 2.0,
            "a long tick is a mean of its own"
        );
    }
}

#[test]
fn a_lull_is_a_second_in_which_few_come() {
    let mut pulse = Pulse::calm();
    let mut is_lull = |arrived| {
        pulse.feel(arrived, TICK);
        pulse.is_lull()
    };
    assert!(is_lull(500));
    assert!(!is_lull(501));
    let after: Vec<bool> = (0..10).map(|_| is_lull(500)).collect();
    assert_eq!(after.iter().position(|lull| *lull), Some(9));
}

#[test]
fn accepting_goes_before_admitting_until_much_waits() {
    let spike = left(0, [4_000; 50]);
    assert!(
        spike[49] > 160_000,
        "200,000 in five seconds are kept for later, but for few: {spike:?}"
    );
    let after = left(spike[49], [0; 100]);
    let seconds = after.iter().take_while(|left| **left > 0).count() as f64 * TICK.as_secs();
    assert!((3.0..7.0).contains(&seconds), "and done in {seconds} s then");
    let endless = left(0, [3_000; 1_200]);
    assert_eq!(endless[1_199], endless[1_198], "30,000 a second do not fill it");
    assert!(endless[1_199] < WELL_FILLED + 50_000, "{}", endless[1_199]);
    assert_eq!(share(load(1_000_000, 0), TICK), ADMITTED_PER_TICK);
}

#[test]
fn a_slow_machine_keeps_half_of_a_tick_for_accepting() {
    let each_s = 100e-6;
    let slow = |waiting, arrived| {
        share(
            Load {
                each_s,
                ..load(waiting, arrived)
            },
            TICK,
        )
    };
    assert_eq!(
        slow(50_000, 1_500),
        500 + 500 + 83,
        "half of the tick's 100 ms, and what is always"
    );
    assert_eq!(slow(50_000, 0), 500 + 1_000 + 83, "all of it in a lull");
    assert_eq!(slow(300, 300), 300);
}

#[test]
fn who_waits_for_a_decision_does_not_wait_for_a_lull() {
    let busy = load(64_000, 4_000);
    let share = [false, true].map(|is_asked| share(Load { is_asked, ..busy }, TICK));
    assert_eq!(share, [500 + 106, 500 + 4_000 + 2_000]);
}

proptest! {
    #[test]
    fn all_of_it_is_admitted_in_the_order_in_which_it_came(
        arrivals in prop::collection::vec(0_usize..9_000, 1..60),
        tick_us in 1_000_u64..2_000_000,
        is_asked in any::<bool>(),
        each_s in 1e-6_f64..1.0,
    ) {
        let tick = SimDuration(tick_us);
        let (mut waiting, mut came, mut admitted) = (VecDeque::new(), 0_usize, Vec::new());
        let (mut pulse, mut lulls) = (Pulse::calm(), 0);
        let mut arrivals = arrivals.into_iter();
        while lulls == 0 || !waiting.is_empty() {
            let arrived = arrivals.next().unwrap_or_else(|| { lulls += 1; 0 });
            waiting.extend(came..came + arrived);
            came += arrived;
            pulse.feel(arrived, tick);
            let per_s = pulse.per_s;
            let count = share(Load { waiting: waiting.len(), arrived, per_s, is_asked, each_s }, tick);
            prop_assert!(count <= waiting.len() && count <= ADMITTED_PER_TICK);
            prop_assert!(count >= waiting.len().min(AT_LEAST_PER_TICK), "it never stops");
            admitted.extend(waiting.drain(..count));
        }
        prop_assert!(admitted.into_iter().eq(0..came));
    }
}
