//! What a tick takes of those that wait: nothing is left behind, and nothing overtakes.

use super::*;
use proptest::prelude::*;

const TICK: SimDuration = SimDuration(100_000);

/// On a machine to which one costs 20 µs.
fn load(waiting: usize, arrived: usize) -> Load {
    Load {
        waiting,
        arrived,
        is_asked: false,
        each_s: EACH_S,
    }
}

/// What is left of these arrivals, tick by tick, where nobody waits for decisions.
fn left(waiting: usize, arrivals: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut waiting = waiting;
    let mut tick = |arrived| {
        waiting += arrived;
        waiting -= share(load(waiting, arrived), TICK);
        waiting
    };
    arrivals.into_iter().map(&mut tick).collect()
}

#[test]
fn what_the_world_can_carry_is_admitted_at_the_next_tick() {
    for tick in [0.01, 0.1, 1.0].map(SimDuration::from_secs) {
        let carried = (20_000.0 * tick.as_secs()) as usize;
        for count in [0, 1, 60, carried].map(|count| count.min(ADMITTED_PER_TICK)) {
            assert_eq!(share(load(count, count), tick), count);
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
    assert_eq!(admitted, [2_010, 1_710, 1_260, 810, 510, 510]);
}

#[test]
fn a_lull_is_a_second_in_which_few_come() {
    let mut quiet = LULL;
    let mut is_lull = |arrived| {
        quiet = at_ease_for(quiet, arrived, TICK);
        quiet >= LULL
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
    assert_eq!(share, [500 + 106, 500 + 3_500 + 2_000]);
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
        let mut lulls = 0;
        let mut arrivals = arrivals.into_iter();
        while lulls == 0 || !waiting.is_empty() {
            let arrived = arrivals.next().unwrap_or_else(|| { lulls += 1; 0 });
            waiting.extend(came..came + arrived);
            came += arrived;
            let count = share(Load { waiting: waiting.len(), arrived, is_asked, each_s }, tick);
            prop_assert!(count <= waiting.len() && count <= ADMITTED_PER_TICK);
            prop_assert!(count >= waiting.len().min(AT_LEAST_PER_TICK), "it never stops");
            admitted.extend(waiting.drain(..count));
        }
        prop_assert!(admitted.into_iter().eq(0..came));
    }
}
