//! The generator: the same from the same seed, on both engines.

use sysndd_store::generate::{Size, generate};

use crate::support::{places, sqlite};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_makes_the_same_database_on_each_engine() {
    let mut found = Vec::new();
    for place in places().await {
        let made =
            generate(&place.database, Size { entities: 300, seed: 7 }).await.expect("entities");
        assert_eq!(made.public + made.hidden, 300);
        found.push(place.everything().await);
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
    let other = sqlite().await;
    generate(&other.database, Size { entities: 300, seed: 8 }).await.expect("entities");
    assert_ne!(other.everything().await, found[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shares_are_those_of_the_published_site() {
    let place = sqlite().await;
    generate(&place.database, Size { entities: 5000, seed: 1 }).await.expect("entities");
    let [entities, definitive, recessive, genes] = place
        .numbers(
            "SELECT count(*), count(*) FILTER (WHERE category = 'Definitive'), count(*) FILTER (WHERE inheritance_filter = 'Autosomal recessive'),
                count(DISTINCT hgnc_id) FROM public_entity",
        )
        .await[..]
    else {
        panic!("four numbers")
    };
    let percent = |part: i64| part * 100 / entities;
    assert!((44..=54).contains(&percent(definitive)), "{definitive} of {entities}");
    assert!((54..=64).contains(&percent(recessive)), "{recessive} of {entities}");
    assert!((70..=85).contains(&percent(genes)), "{genes} of {entities}");
}
