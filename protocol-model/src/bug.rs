//! Bugs in the protocol, each of which breaks an invariant.

/// What is different from the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    None,
    /// A guard loads the state, and announces its epoch after that: no fence in `Epochs::enter_at`.
    EntersLate,
    /// `Epochs::horizon` says that no guard is live.
    HorizonIgnoresGuards,
    /// An entry is stamped when it is killed, not when it has been unlinked.
    StampsBeforeUnlinking,
    /// `Epochs::exit` does not look whether it is awaited.
    LeavesWithoutLooking,
    /// The horizon is not taken once more after `hold_back`.
    WaitsWithoutSecondLook,
    /// Who finds the collector busy does not leave word.
    LeavesNoWord,
    /// Whoever comes to the pending garbage is the collector.
    CollectsBesideOthers,
    /// `publish` frees the old state.
    FreesStateAtOnce,
    /// `publish` frees the tables that it replaces.
    FreesTablesAtOnce,
    /// `publish` retires no table.
    KeepsOldTables,
    /// `clear` exchanges the state without the mutex.
    ClearsWithoutMutex,
    /// `clear` does not kill the entries of the old tables.
    ClearLeavesEntries,
    /// The tag is written before the pointer.
    TagBeforePointer,
    /// An entry is alive before it is linked: who saw the tag of the slot's last one sees it too soon.
    ShowsBeforeLinking,
    /// What is unlinked is not unlinked from the next table.
    ForgetsNextTable,
    /// The next table is published when the first of its sources has been copied.
    PromotesTooSoon,
    /// A sealed table is not among the young ones.
    SealForgetsTable,
    /// An insert does not check that its search still holds.
    LinksUnchecked,
    /// The count of links goes up before the link is there.
    CountsLinkBefore,
    /// Who has let go of the mutex does not look at the dead list.
    DeadListNotLookedAt,
    /// Who has put an entry on the dead list does not try the mutex again.
    PushesAndLeaves,
    /// Who has put an entry on the dead list retires it, too.
    RetiresWhatItPushed,
    /// A removal sets the flag without comparing.
    KillsWithoutComparing,
    /// An overwrite stores the new value without comparing.
    OverwritesWithoutComparing,
    /// A search ends at the first entry of the key, dead or alive.
    StopsAtDeadEntry,
}

impl Bug {
    /// All, each with an invariant that it breaks.
    pub const ALL: [(Bug, &str); 25] = [
        (Bug::EntersLate, "S1"),
        (Bug::HorizonIgnoresGuards, "E2"),
        (Bug::StampsBeforeUnlinking, "E2"),
        (Bug::LeavesWithoutLooking, "R1, R2"),
        (Bug::WaitsWithoutSecondLook, "R1, R2"),
        (Bug::LeavesNoWord, "R1, R2"),
        (Bug::CollectsBesideOthers, "Q2"),
        (Bug::FreesStateAtOnce, "S1"),
        (Bug::FreesTablesAtOnce, "T1"),
        (Bug::KeepsOldTables, "R1, R2"),
        (Bug::ClearsWithoutMutex, "S1"),
        (Bug::ClearLeavesEntries, "R1, R2"),
        (Bug::TagBeforePointer, "E1"),
        (Bug::ShowsBeforeLinking, "C1"),
        (Bug::ForgetsNextTable, "T2"),
        (Bug::PromotesTooSoon, "C1"),
        (Bug::SealForgetsTable, "C1"),
        (Bug::LinksUnchecked, "one live entry"),
        (Bug::CountsLinkBefore, "one live entry"),
        (Bug::DeadListNotLookedAt, "W2"),
        (Bug::PushesAndLeaves, "W2"),
        (Bug::RetiresWhatItPushed, "E5"),
        (Bug::KillsWithoutComparing, "W1"),
        (Bug::OverwritesWithoutComparing, "E5"),
        (Bug::StopsAtDeadEntry, "C1"),
    ];
}
