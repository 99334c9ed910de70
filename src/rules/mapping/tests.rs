use std::num::NonZeroU32;

use super::MappingTable;
use crate::model::SellerSku;

fn table(text: &str) -> MappingTable {
    MappingTable::parse(text).unwrap()
}

fn errors(text: &str) -> String {
    MappingTable::parse(text).unwrap_err().to_string()
}

/// The components as `sku×units` in the order of the table.
fn made_of(table: &MappingTable, seller_sku: &str) -> Option<String> {
    let components = table.components(&SellerSku::from(seller_sku))?;
    Some(components.iter().map(|(sku, units)| format!("{sku}×{units}")).collect::<Vec<_>>().join(" "))
}

#[test]
fn rows_become_packs_and_kits() {
    let table = table("seller_sku,sku,units\nB-PACK,A,3\nKIT,Z,1\nB-ONE,A,\nKIT,C,2\nKIT,B,1\n");
    for (seller_sku, expected) in
        [("B-PACK", Some("A×3")), ("B-ONE", Some("A×1")), ("KIT", Some("Z×1 C×2 B×1")), ("b-one", None), ("A", None)]
    {
        assert_eq!(made_of(&table, seller_sku).as_deref(), expected, "{seller_sku}");
    }
    let names: Vec<_> = table.iter().map(|(name, components)| (name.as_str(), components.len())).collect();
    assert_eq!(names, [("B-ONE", 1), ("B-PACK", 1), ("KIT", 3)]);
    assert_eq!(table.len(), 3);
    assert!(table.warnings().is_empty(), "{:?}", table.warnings());
}

#[test]
fn one_row_is_read_however_it_is_written() {
    for text in [
        "X,A",
        "X,A,1",
        "X,A,",
        "X,A, 1 ",
        "X,A,01",
        "\"X\",\"A\",\"1\"",
        "seller_sku,sku\nX,A\n",
        "Seller_SKU,SKU,Units\r\nX,A,1\r\n",
        "\u{feff}seller_sku,sku,units\nX,A,1",
        "\u{feff}\"seller_sku\",\"sku\"\nX,A",
        "# a comment, with, commas; and \"quotes\n\n  \nX,A,1\n#end",
    ] {
        assert_eq!(made_of(&table(text), "X").as_deref(), Some("A×1"), "{text:?}");
        assert_eq!(table(text).len(), 1, "{text:?}");
    }
}

#[test]
fn quotes_follow_rfc_4180() {
    let table = table("\"TV 32\"\"\",\"A,1\"\n\"#1\",B\n\" X \",\" A \"\n");
    assert_eq!(made_of(&table, "TV 32\"").as_deref(), Some("A,1×1"));
    assert_eq!(made_of(&table, "#1").as_deref(), Some("B×1"));
    assert_eq!(made_of(&table, " X ").as_deref(), Some(" A ×1"), "quoted blanks are kept");
    assert!(table.warnings().is_empty(), "{:?}", table.warnings());
}

#[test]
fn a_bad_line_is_named_with_its_number_and_the_next_is_read_all_the_same() {
    for (bad, expected) in [
        ("X", "number of columns is 1, not 2 or 3"),
        ("X,A,1,2", "number of columns is 4, not 2 or 3"),
        (",A", "the seller SKU is empty"),
        ("X,", "the SKU is empty"),
        ("\" \",A", "the seller SKU is empty"),
        ("X,A,0", "units are `0`, but must be a whole number from 1 to 1000000"),
        ("X,A,-1", "units are `-1`, but must be a whole number from 1 to 1000000"),
        ("X,A,+1", "units are `+1`, but must be a whole number from 1 to 1000000"),
        ("X,A,1.5", "units are `1.5`, but must be a whole number from 1 to 1000000"),
        ("X,A,1000001", "units are `1000001`, but must be a whole number from 1 to 1000000"),
        ("X,A,99999999999", "units are `99999999999`, but must be a whole number from 1 to 1000000"),
        ("\"X,A", "a quote is not closed on its line"),
        ("\"X\"Y,A", "text between a closing quote and the next comma"),
        ("TV 32\",A", "a field that holds a quote must be quoted itself, and the quote in it doubled"),
        ("X\rY,A", "the seller SKU \"X\\rY\" holds a control character"),
        ("X,A\tB", "the SKU \"A\\tB\" holds a control character"),
    ] {
        let text = format!("seller_sku,sku,units\n\n{bad}\nGOOD,A,1\nALSO,,1\n");
        assert_eq!(errors(&text), format!("line 3: {expected}\nline 5: the SKU is empty"), "{bad:?}");
    }
}

#[test]
fn every_mistake_of_one_line_is_told() {
    assert_eq!(
        errors(",,x"),
        "line 1: the SKU is empty\n\
         line 1: the seller SKU is empty\n\
         line 1: units are `x`, but must be a whole number from 1 to 1000000"
    );
}

#[test]
fn a_row_has_no_more_columns_than_the_header() {
    assert_eq!(errors("seller_sku,sku\nX,A,3"), "line 2: number of columns is 3, not 2");
}

#[test]
fn a_file_of_another_shape_is_refused_at_its_first_line() {
    for (text, expected) in [
        ("# export\nseller_sku;sku;units\nX;A;1\n", "line 2: columns are separated by `;`, not by `,`"),
        ("X\tA\t1\nY\tB\t1\n", "line 1: columns are separated by tabs, not by `,`"),
        ("sku,seller_sku\nA,X\n", "line 1: the header is `sku,seller_sku`, but must be `seller_sku,sku,units`"),
        (
            "seller_sku,sku,qty\nX,A,1\n",
            "line 1: the header is `seller_sku,sku,qty`, but must be `seller_sku,sku,units`",
        ),
    ] {
        assert_eq!(errors(text), expected, "{text:?}");
    }
}

#[test]
fn rows_that_repeat_or_contradict_name_both_lines() {
    assert_eq!(
        errors("X,A,2\nY,A,2\nX,B,1\nX,A,2\nX,A,3\n"),
        "line 4: repeats line 1: `X` is already made of 2 × `A`\n\
         line 5: contradicts line 1: `X` takes 2 × `A` there and 3 here"
    );
}

#[test]
fn what_only_looks_like_a_mistake_is_a_warning() {
    let long = "S".repeat(41);
    for (text, expected) in [
        ("", "the file maps no seller SKU".to_owned()),
        ("AB,1\nab,2\nAB,3", "line 2: seller SKU `ab` differs from `AB` (line 1) only in case or blanks".to_owned()),
        ("X,a 1\nY,A1\nZ,A1", "line 2: SKU `A1` differs from `a 1` (line 1) only in case or blanks".to_owned()),
        ("X ,A", "line 1: seller SKU `X ` begins or ends with a blank, which is kept".to_owned()),
        ("X, A", "line 1: SKU ` A` begins or ends with a blank, which is kept".to_owned()),
        (&format!("{long},A"), "line 1: seller SKU of 41 characters; Amazon takes 40".to_owned()),
    ] {
        assert_eq!(table(text).warnings(), [expected], "{text:?}");
    }
    assert_eq!(made_of(&table("X ,A"), "X ").as_deref(), Some("A×1"), "nothing is trimmed");
}

#[test]
fn limits_are_exact() {
    let sku = |length| format!("X,{}", "ü".repeat(length));
    assert_eq!(table(&sku(64)).len(), 1);
    assert_eq!(errors(&sku(65)), "line 1: the SKU has 65 characters, Commerce allows 64");
    assert!(table(&format!("{},A", "S".repeat(40))).warnings().is_empty());
    let million = table("X,A,1000000");
    assert_eq!(million.components(&"X".into()).unwrap()[0].1, NonZeroU32::new(1_000_000).unwrap());
}
