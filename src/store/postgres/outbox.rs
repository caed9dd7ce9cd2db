//! Notices that wait for the courier.

use super::link::{Link, Request};
use super::trouble::Trouble;
use super::{at_most, number, unsigned};
use crate::sim::notice::Notice;
use crate::store::{StoreError, TickRow, rules};

pub(super) const PUT_NOTICES: &str =
    "INSERT INTO outbox (number, notice) SELECT * FROM unnest($1::bigint[], $2::bytea[])";
pub(super) const SET_POSTED: &str = "UPDATE world SET posted = $1";

/// Numbers the notices of these ticks on from `posted`; answers with the last number.
pub(super) fn put_notices(
    requests: &mut Vec<Request<'_>>,
    posted: u64,
    ticks: &[&TickRow],
) -> Result<u64, StoreError> {
    let notices = ticks.iter().flat_map(|row| &row.notices);
    let bytes = notices.map(rules::encode_notice).collect::<Result<Vec<_>, _>>()?;
    if bytes.is_empty() {
        return Ok(posted);
    }
    let last = posted + bytes.len() as u64;
    let numbers: Vec<i64> = (posted + 1..=last).map(number).collect();
    let parameters = vec![Box::new(numbers) as _, Box::new(bytes) as _];
    requests.push(Request::Prepared(PUT_NOTICES, parameters));
    requests.push(Request::Prepared(SET_POSTED, vec![Box::new(number(last)) as _]));
    Ok(last)
}

pub(super) async fn read(link: &mut Link, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, Trouble> {
    let sql = "SELECT number, notice FROM outbox WHERE number > $1 ORDER BY number LIMIT $2";
    let rows = link.rows(sql, &[&number(after), &at_most(limit)]).await?;
    let decoded = |row: &tokio_postgres::Row| {
        let number = unsigned(row.try_get(0)?)?;
        Ok((number, rules::decode_notice(number, row.try_get(1)?)?))
    };
    rows.iter().map(decoded).collect()
}

pub(super) async fn take_off(link: &mut Link, numbers: &[u64]) -> Result<(), Trouble> {
    let numbers: Vec<i64> = numbers.iter().copied().map(number).collect();
    link.change("DELETE FROM outbox WHERE number = ANY($1::bigint[])", &[&numbers])
        .await?;
    Ok(())
}
