//! The maps and the controls in turns.

use std::cell::RefCell;
use std::collections::HashMap as StdMap;

use crate::forms::{self, Calls, Form, Growth};
use crate::grid::{Grid, number};
use crate::maps::{Dash, Family, Index, Locked, Papaya, Tidy};
use crate::samples::{SAMPLES, only_a_test};

/// What criterion gets of each round.
pub(crate) const FIGURES: [(&str, fn(&Calls) -> f64); 2] =
    [("mean", Calls::mean), ("max", |calls| calls.longest.max(1) as f64)];

const NOTHING: &str = "nothing";
const BOXES: &str = "Box";

/// Everything that has been measured, and what is to be.
pub(crate) struct Rounds {
    field: Vec<(&'static str, Growth)>,
    per_second: u64,
    /// Of each form and size, each one's rounds.
    done: RefCell<StdMap<(Form, u64), Vec<(&'static str, Vec<Calls>)>>>,
}

impl Rounds {
    pub(crate) fn new() -> Rounds {
        let controls: [(&str, Growth); 2] = [(NOTHING, forms::nothing), (BOXES, forms::boxes)];
        let mut maps: Vec<(&str, Growth)> = vec![
            (Tidy::NAME, forms::map::<Tidy>),
            (Papaya::NAME, forms::map::<Papaya>),
            (Index::NAME, forms::map::<Index>),
            (Dash::NAME, forms::map::<Dash>),
            (Locked::NAME, forms::map::<Locked>),
        ];
        // Who has asked for one map by its name need not wait for the others.
        let named = |name: &str| std::env::args().skip(1).any(|argument| argument.contains(name));
        if maps.iter().any(|(name, _)| named(name)) {
            maps.retain(|(name, _)| named(name));
        }
        let field = controls.into_iter().chain(maps).collect();
        Rounds { field, per_second: setting("PAUSES_RATE").unwrap_or(500_000), done: RefCell::default() }
    }

    /// Who takes part.
    pub(crate) fn names(&self, form: Form) -> impl Iterator<Item = &'static str> {
        self.of(form).map(|(name, _)| name)
    }

    fn of(&self, form: Form) -> impl Iterator<Item = (&'static str, Growth)> {
        // A map that is read has to hold something: the control in which nothing is read has a writer that makes boxes.
        self.field.iter().copied().filter(move |(name, _)| form != Form::Reads || *name != BOXES)
    }

    /// One figure of each round of one of them.
    pub(crate) fn figures(&self, form: Form, keys: u64, name: &str, of: fn(&Calls) -> f64) -> Vec<f64> {
        let mut done = self.done.borrow_mut();
        let field = done.entry((form, keys)).or_insert_with(|| self.measure(form, keys));
        let (_, rounds) = field.iter().find(|(measured, _)| *measured == name).expect("all have been measured");
        rounds.iter().map(of).collect()
    }

    fn measure(&self, form: Form, keys: u64) -> Vec<(&'static str, Vec<Calls>)> {
        let field: Vec<_> = self.of(form).collect();
        let mut done: Vec<_> = field.iter().map(|(name, _)| (*name, Vec::new())).collect();
        for round in 0..rounds(keys) {
            // Each round another one begins.
            for turn in 0..field.len() {
                let who = (turn + round) % field.len();
                let (_, growth) = field[who];
                done[who].1.push(growth(form, keys, self.per_second));
            }
        }
        done
    }

    /// Everything side by side, if it has been measured.
    pub(crate) fn print(&self, form: Form, keys: u64) {
        let done = self.done.borrow();
        let Some(field) = done.get(&(form, keys)) else { return };
        let head = ["ns", "mean", "p50", "p99", "p99.9", "every round", "at key", "median max", "max of all", "at key"];
        let mut grid = Grid::new(head);
        for (name, rounds) in field {
            let mut all = rounds[0].clone();
            rounds[1..].iter().for_each(|calls| all.add(calls));
            let mut longest: Vec<_> = rounds.iter().map(|calls| calls.longest).collect();
            longest.sort_unstable();
            let at = |q| all.times.value_at_quantile(q);
            let (every, every_at) = all.in_every_round();
            let figures = [
                all.mean() as u64,
                at(0.5),
                at(0.99),
                at(0.999),
                every,
                every_at,
                longest[longest.len() / 2],
                all.longest,
                all.at,
            ];
            let mut figures = figures.map(|figure| number(figure as i64));
            if form == Form::Reads {
                // They come when they come.
                figures[4..6].fill("-".to_owned());
            }
            let name = match *name {
                NOTHING => "control: no map",
                BOXES => "control: a Box for each key",
                map => map,
            };
            grid.row([name.to_owned()].into_iter().chain(figures));
        }
        let count = field[0].1.len();
        println!("\n{}, {} keys, {count} rounds\n\n{grid}", form.title(self.per_second), number(keys as i64));
        let alone = &field[0].1;
        if matches!(form, Form::Open | Form::Reads)
            && alone.iter().any(|calls| calls.times.value_at_quantile(0.999) > 100_000)
        {
            println!(
                "The machine was too busy for this schedule: even with no map some arrivals were served 0.1 ms late.\n"
            );
        }
    }
}

fn rounds(keys: u64) -> usize {
    let usual = if keys < 10_000_000 { SAMPLES } else { 3 };
    if only_a_test() { 1 } else { setting("PAUSES_ROUNDS").map_or(usual, |rounds| rounds.max(1) as usize) }
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
