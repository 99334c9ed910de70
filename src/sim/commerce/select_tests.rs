use super::{Field, PastTheEnd, like, select};
use crate::sim::commerce::criteria::{Criteria, Habits};
use crate::sim::commerce::params::Params;

const ROWS: [(u32, &str); 5] = [(1, "Apple"), (2, "banana"), (3, "C,D"), (4, "date"), (5, "Egg")];

fn run(query: &str, past_the_end: PastTheEnd) -> (Vec<u32>, usize) {
    let criteria = Criteria::required(&Params::parse(query), &Habits::default()).unwrap();
    let field = |(id, name): (u32, &'static str), field: &str| match field {
        "entity_id" => Some(Field::Number(f64::from(id))),
        "name" => Some(Field::Text(name.into())),
        "time" => format!("2026-11-0{id}T00:00:00Z").parse().ok().map(Field::Time),
        _ => None,
    };
    let selected = select(ROWS.iter().copied(), &criteria, past_the_end, "entity_id", field);
    (selected.rows.iter().map(|(id, _)| *id).collect(), selected.total)
}

fn ids(query: &str) -> Vec<u32> {
    run(query, PastTheEnd::Empty).0
}

fn filter(field: &str, condition: &str, value: &str) -> String {
    format!(
        "searchCriteria[filter_groups][0][filters][0][field]={field}&\
         searchCriteria[filter_groups][0][filters][0][condition_type]={condition}&\
         searchCriteria[filter_groups][0][filters][0][value]={value}"
    )
}

#[test]
fn conditions_match_as_the_database_does() {
    for (field, condition, value, expected) in [
        ("entity_id", "gt", "3", vec![4, 5]),
        ("entity_id", "lteq", "2", vec![1, 2]),
        ("entity_id", "in", "1,5,9", vec![1, 5]),
        ("entity_id", "nin", "1,2,3", vec![4, 5]),
        ("entity_id", "from", "4", vec![4, 5]),
        ("entity_id", "eq", "4abc", vec![4]),
        ("name", "eq", "APPLE", vec![1]),
        ("name", "in", "C,D", vec![]),
        ("name", "eq", "C,D", vec![3]),
        ("name", "finset", "D", vec![3]),
        ("name", "like", "%25A%25", vec![1, 2, 4]),
        ("name", "nlike", "%25a%25", vec![3, 5]),
        ("name", "notnull", "", vec![1, 2, 3, 4, 5]),
        ("name", "null", "", vec![]),
        ("time", "gt", "2026-11-04 00:00:00", vec![5]),
        ("time", "lt", "2026-11-02", vec![1]),
        ("time", "gteq", "2026-11-04T12:00:00Z", vec![5]),
        ("time", "gt", "garbage", vec![1, 2, 3, 4, 5]),
        ("name", "nope", "x", vec![]),
    ] {
        assert_eq!(ids(&filter(field, condition, value)), expected, "{field} {condition} {value}");
    }
}

#[test]
fn groups_are_and_filters_are_or() {
    let query = "searchCriteria[filterGroups][0][filters][0][field]=entity_id&\
        searchCriteria[filterGroups][0][filters][0][value]=1&\
        searchCriteria[filterGroups][0][filters][1][field]=name&\
        searchCriteria[filterGroups][0][filters][1][value]=egg&\
        searchCriteria[filterGroups][1][filters][0][field]=entity_id&\
        searchCriteria[filterGroups][1][filters][0][conditionType]=gt&\
        searchCriteria[filterGroups][1][filters][0][value]=2";
    assert_eq!(ids(query), [5]);
}

#[test]
fn pages_end_empty_or_repeat_the_last_by_release() {
    let page = |number: i32| format!("searchCriteria[pageSize]=2&searchCriteria[currentPage]={number}");
    for (number, expected) in [(1, vec![1, 2]), (3, vec![5]), (4, vec![]), (0, vec![1, 2]), (-1, vec![1, 2])] {
        assert_eq!(run(&page(number), PastTheEnd::Empty), (expected, 5), "page {number}");
    }
    assert_eq!(run(&page(9), PastTheEnd::LastPage), (vec![5], 5));
    assert_eq!(ids("searchCriteria[pageSize]=0"), [1, 2, 3, 4, 5]);
    assert_eq!(ids("searchCriteria[pageSize]=-1"), [1]);
}

#[test]
fn sorting_defaults_to_descending_and_ignores_an_unknown_field() {
    assert_eq!(ids("searchCriteria[sortOrders][0][field]=name"), [5, 4, 3, 2, 1]);
    assert_eq!(ids("searchCriteria[sortOrders][0][field]=entity_id&searchCriteria[pageSize]=2"), [5, 4]);
    assert_eq!(ids("searchCriteria[sortOrders][0][field]=nope"), [1, 2, 3, 4, 5]);
}

#[test]
fn like_takes_wildcards_and_escapes() {
    for (pattern, text, expected) in
        [("a%", "abc", true), ("_b_", "abc", true), ("a\\%", "a%", true), ("a\\%", "ab", false), ("", "", true)]
    {
        assert_eq!(like(pattern, text), expected, "{pattern} {text}");
    }
}
