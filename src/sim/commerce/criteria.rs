//! `searchCriteria` as the list routes read it, and what it refuses.

use std::ops::RangeInclusive;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::fault::Quirks;
use super::params::{Param, Params};
use super::reply::Reply;
use super::select::Wanted;

/// The page when none is asked for, where input limits are on.
const LIMITED_DEFAULT: i64 = 20;

#[derive(Debug, Default)]
pub(super) struct Criteria {
    pub(super) groups: Vec<Vec<Filter>>,
    pub(super) sort: Vec<Sort>,
    page_size: Option<i64>,
    current_page: Option<i64>,
    pub(super) quirks: Quirks,
}

/// What holds for every list of a shop, whatever is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    /// The largest page, where input limits are on.
    pub(super) largest_page: Option<i64>,
    pub(super) quirks: Quirks,
}

#[derive(Debug)]
pub(super) struct Filter {
    pub(super) field: String,
    pub(super) value: String,
    pub(super) condition: String,
    /// The value, or each value of a list of them.
    pub(super) wanted: Vec<Wanted>,
}

#[derive(Debug)]
pub(super) struct Sort {
    pub(super) field: String,
    pub(super) ascending: bool,
}

impl Criteria {
    /// Reads the criteria of a route that insists on having some.
    pub(super) fn required(params: &Params, habits: &Habits) -> Result<Self, Reply> {
        let criteria = params.get("searchCriteria").or_else(|| params.get("search_criteria"));
        let criteria = criteria.ok_or_else(|| Reply::required("searchCriteria"))?;
        Self::read(criteria, habits)
    }

    /// Reads the criteria of a route that answers everything without.
    pub(super) fn optional(params: &Params, habits: &Habits) -> Result<Self, Reply> {
        let none = || Ok(Self { quirks: habits.quirks.clone(), ..Self::default() });
        params.get("searchCriteria").map_or_else(none, |criteria| Self::read(criteria, habits))
    }

    fn read(criteria: &Param, habits: &Habits) -> Result<Self, Reply> {
        let mut read = Self { quirks: habits.quirks.clone(), ..Self::default() };
        // A plain text, `searchCriteria=` or `=all`, is an empty set of criteria.
        if let Param::Tree(tree) = criteria {
            for (key, value) in tree.iter() {
                match key {
                    "filter_groups" | "filterGroups" => read.groups = read_groups(value)?,
                    "sort_orders" | "sortOrders" => read.sort = read_sort(value)?,
                    "page_size" | "pageSize" => read.page_size = Some(read_int("pageSize", value)?),
                    "current_page" | "currentPage" => read.current_page = Some(read_int("currentPage", value)?),
                    other => return Err(unknown_key(other)),
                }
            }
        }
        if let Some(largest) = habits.largest_page {
            read.apply_limits(largest)?;
        }
        Ok(read)
    }

    fn apply_limits(&mut self, largest: i64) -> Result<(), Reply> {
        match self.page_size {
            None => self.page_size = Some(LIMITED_DEFAULT.min(largest)),
            Some(size) if size > largest => {
                let message = "Maximum SearchCriteria pageSize is %max";
                return Err(Reply::with_parameters(StatusCode::BAD_REQUEST, message, json!({ "max": largest })));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Rows per page; nothing when everything is asked for. A negative size is a page of one.
    pub(super) fn size(&self) -> Option<usize> {
        match self.page_size {
            None | Some(0) => None,
            Some(size) => Some(usize::try_from(size).unwrap_or(1)),
        }
    }

    /// The page, counted from 0; nonsense is the first.
    pub(super) fn page(&self) -> usize {
        self.current_page.and_then(|page| usize::try_from(page - 1).ok()).unwrap_or(0)
    }

    /// The echo in the answer.
    pub(super) fn echo(&self) -> Value {
        let groups: Vec<Value> = self.groups.iter().map(|group| json!({ "filters": group_echo(group) })).collect();
        let mut echo = Map::new();
        echo.insert("filter_groups".to_owned(), Value::Array(groups));
        if !self.sort.is_empty() {
            let sort =
                |sort: &Sort| json!({ "field": sort.field, "direction": if sort.ascending { "ASC" } else { "DESC" } });
            echo.insert("sort_orders".to_owned(), self.sort.iter().map(sort).collect());
        }
        if let Some(size) = self.page_size {
            echo.insert("page_size".to_owned(), json!(size));
        }
        if let Some(page) = self.current_page {
            echo.insert("current_page".to_owned(), json!(page));
        }
        Value::Object(echo)
    }

    pub(super) fn filters(&self) -> impl Iterator<Item = &Filter> {
        self.groups.iter().flatten()
    }

    /// The ids that can match at all, so that a range query reads only its range; nothing when none can.
    pub(super) fn id_range(&self, field: &str) -> Option<RangeInclusive<u32>> {
        let (mut low, mut high) = (0_i64, i64::from(u32::MAX));
        for filter in self.lone_filters().filter(|filter| filter.field == field) {
            let Ok(id) = filter.value.parse::<i64>() else { continue };
            match filter.condition.as_str() {
                "gt" => low = low.max(id.saturating_add(1)),
                "gteq" | "from" | "moreq" => low = low.max(id),
                "lt" => high = high.min(id.saturating_sub(1)),
                "lteq" | "to" => high = high.min(id),
                "eq" => (low, high) = (low.max(id), high.min(id)),
                _ => {}
            }
        }
        let range = u32::try_from(low).ok()?..=u32::try_from(high).ok()?;
        (!range.is_empty()).then_some(range)
    }

    /// The values of the first filter that says what `field` equals.
    pub(super) fn equal_to(&self, field: &str) -> Option<Vec<&str>> {
        self.lone_filters().filter(|filter| filter.field == field).find_map(|filter| match filter.condition.as_str() {
            "eq" => Some(vec![filter.value.as_str()]),
            "in" => Some(filter.value.split(',').collect()),
            _ => None,
        })
    }

    /// Filters that every row must pass: alone in their group.
    fn lone_filters(&self) -> impl Iterator<Item = &Filter> {
        self.groups.iter().filter_map(|group| match group.as_slice() {
            [only] => Some(only),
            _ => None,
        })
    }
}

fn group_echo(group: &[Filter]) -> Vec<Value> {
    let echo =
        |filter: &Filter| json!({ "field": filter.field, "value": filter.value, "condition_type": filter.condition });
    group.iter().map(echo).collect()
}

fn read_groups(value: &Param) -> Result<Vec<Vec<Filter>>, Reply> {
    let mut groups = Vec::new();
    for group in branches(value) {
        let mut filters = Vec::new();
        for (key, value) in group.iter() {
            match key {
                "filters" => {
                    for filter in branches(value) {
                        filters.push(read_filter(filter)?);
                    }
                }
                other => return Err(unknown_key(other)),
            }
        }
        groups.push(filters);
    }
    Ok(groups)
}

fn read_filter(params: &Params) -> Result<Filter, Reply> {
    let mut filter =
        Filter { field: String::new(), value: String::new(), condition: "eq".to_owned(), wanted: Vec::new() };
    for (key, value) in params.iter() {
        let Param::Text(text) = value else { continue };
        match key {
            "field" => filter.field.clone_from(text),
            "value" => filter.value.clone_from(text),
            "condition_type" | "conditionType" => filter.condition.clone_from(text),
            other => return Err(unknown_key(other)),
        }
    }
    filter.wanted = match filter.condition.as_str() {
        "in" | "nin" => filter.value.split(',').map(Wanted::read).collect(),
        _ => vec![Wanted::read(&filter.value)],
    };
    Ok(filter)
}

fn read_sort(value: &Param) -> Result<Vec<Sort>, Reply> {
    let mut orders = Vec::new();
    for order in branches(value) {
        let direction = order.text("direction").unwrap_or("DESC").to_uppercase();
        if direction != "ASC" && direction != "DESC" {
            let message = "The sort order has to be specified as %1 for ascending order or %2 for descending order.";
            return Err(Reply::with_parameters(StatusCode::BAD_REQUEST, message, json!(["ASC", "DESC"])));
        }
        let field = order.text("field").unwrap_or_default().to_owned();
        orders.push(Sort { field, ascending: direction == "ASC" });
    }
    Ok(orders)
}

fn branches(value: &Param) -> impl Iterator<Item = &Params> {
    let tree = match value {
        Param::Tree(tree) => Some(tree),
        Param::Text(_) => None,
    };
    tree.into_iter().flat_map(Params::iter).filter_map(|(_, value)| match value {
        Param::Tree(tree) => Some(tree),
        Param::Text(_) => None,
    })
}

fn read_int(name: &str, value: &Param) -> Result<i64, Reply> {
    let Param::Text(text) = value else { return Ok(0) };
    text.parse().map_err(|_| {
        let problem = format!("Error occurred during \"{name}\" processing. {}", not_an_int(text));
        Reply::message(StatusCode::BAD_REQUEST, &problem)
    })
}

/// Reads an integer of the path, or refuses it as the server's type checks do.
pub(super) fn path_int(text: &str) -> Result<u32, Reply> {
    text.parse().map_err(|_| Reply::message(StatusCode::BAD_REQUEST, &not_an_int(text)))
}

fn not_an_int(text: &str) -> String {
    format!("The \"{text}\" value's type is invalid. The \"int\" type was expected. Verify and try again.")
}

fn unknown_key(key: &str) -> Reply {
    let camel: String = key.split('_').map(capitalised).collect();
    let message = "\"%fieldName\" is not supported. Correct the field name and try again.";
    Reply::with_parameters(StatusCode::BAD_REQUEST, message, json!({ "fieldName": camel }))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
