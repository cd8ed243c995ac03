//! Many users on one repository, for as many seeds as one has time for.
mod simulation {
    mod actions;
    mod client;
    mod disk;
    mod foreign;
    mod merge;
    mod names;
    mod oracle;
    mod random;
    mod resolve;
    mod sequence;
    mod view;
    mod world;

    #[test]
    fn try_seeds() {
        let n = |k: &str, d: u64| std::env::var(k).ok().and_then(|t| t.parse().ok()).unwrap_or(d);
        let mut bad = 0;
        let mut counts = world::Counts::default();
        for seed in n("DSG_FIRST_SEED", 1)..n("DSG_FIRST_SEED", 1) + n("DSG_SEEDS", 20) {
            let mut w = world::World::new(seed);
            let r = w.run_in_sequence();
            counts.syncs += w.counts.syncs;
            counts.crashes += w.counts.crashes;
            if let Err(e) = r {
                bad += 1;
                if n("DSG_TRACE", 0) > 0 {
                    for l in &w.trace {
                        println!("   {l}");
                    }
                }
                println!("seed {seed}: {e}");
                if n("DSG_KEEP", 0) > 0 {
                    let p = w.folder.keep();
                    println!("kept {}", p.display());
                }
            }
        }
        println!("{bad} bad, {} syncs, {} crashes", counts.syncs, counts.crashes);
    }
}
