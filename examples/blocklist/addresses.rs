//! The stream of addresses that the readers classify, and what the right answers are.
//!
//! The stream is made up from the real lists, the same in every run: three in ten addresses are at a listed domain, one in
//! ten at a sub-domain of one, and six in ten at a domain that no list has ever had.

use crate::lists::Lists;

/// How many addresses there are. Readers walk over them again and again.
const STREAM: usize = 100_000;

/// Well-known providers, beside the made-up companies.
const ORDINARY: [&str; 24] = [
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "yahoo.co.uk",
    "icloud.com",
    "me.com",
    "aol.com",
    "gmx.net",
    "gmx.de",
    "web.de",
    "t-online.de",
    "orange.fr",
    "free.fr",
    "libero.it",
    "mail.ru",
    "yandex.ru",
    "qq.com",
    "163.com",
    "proton.me",
    "fastmail.com",
    "posteo.de",
    "zoho.com",
];

/// An address, and what a reader must say of it.
pub(crate) struct Address {
    text: Box<str>,
    pub(crate) truth: Truth,
}

/// The right answer to whether an address is disposable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Yes, by a domain that both versions list: at every moment, in the middle of a reload too.
    Always,
    /// No, in both versions.
    Never,
    /// It depends on the version in use. In the middle of a reload either answer is right.
    Depends,
}

impl Address {
    fn new(user: u64, domain: &str, lists: &Lists) -> Self {
        let truth = if is_listed(domain, |domain| lists.old.contains(domain) && lists.new.contains(domain)) {
            Truth::Always
        } else if is_listed(domain, |domain| lists.old.contains(domain) || lists.new.contains(domain)) {
            Truth::Depends
        } else {
            Truth::Never
        };
        Address { text: format!("user{user}@{domain}").into(), truth }
    }

    /// What follows the last `@`.
    pub(crate) fn domain(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Is `domain` listed, or a domain that it is part of? Asks `contains` about `a.b.example.com`, `b.example.com` and
/// `example.com`, up to the first yes.
#[inline]
pub(crate) fn is_listed(mut domain: &str, mut contains: impl FnMut(&str) -> bool) -> bool {
    while let Some((_, parent)) = domain.split_once('.') {
        if contains(domain) {
            return true;
        }
        domain = parent;
    }
    false
}

/// Makes the stream.
pub(crate) fn stream(lists: &Lists) -> Vec<Address> {
    // In order: the order of a hash set differs from run to run.
    let mut listed: Vec<_> = lists.old.union(&lists.new).copied().collect();
    listed.sort_unstable();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    (0..STREAM).map(|_| address(&mut random, &listed, lists)).collect()
}

fn address(random: &mut Random, listed: &[&str], lists: &Lists) -> Address {
    let user = random.below(1_000_000);
    let domain = match random.below(20) {
        0..6 => (*random.pick(listed)).to_owned(),
        6..8 => format!("{}.{}", random.pick(&["mail", "mx1", "a.b"]), random.pick(listed)),
        8 => (*random.pick(&ORDINARY)).to_owned(),
        _ => format!("mail.company{}.example", random.below(100_000)),
    };
    let address = Address::new(user, &domain, lists);
    let ordinary = ORDINARY.contains(&&*domain) || domain.ends_with(".example");
    assert!(!ordinary || address.truth == Truth::Never, "{domain} is on a list");
    address
}

/// A small generator of random numbers (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        ((u128::from(random) * u128::from(bound)) >> 64) as u64
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}
