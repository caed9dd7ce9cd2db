//! One connection that holds the store's lock, and what it knows of the journal's end.
//!
//! The lock is the session's own (an advisory lock): PostgreSQL lets go of it when the session
//! has ended, and so after whatever that session was in the middle of. Who has the lock
//! therefore sees all that any server before it committed, and nobody can commit after.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use super::location::Location;
use super::trouble::Trouble;
use super::{append, undo, unsigned};
use crate::sim::time::Tick;
use crate::store::StoreError;
use crate::store::rules::Head;
use crate::store::undo::SliceId;

/// One half of the lock's number, `Skyh`; the other half stands for the schema.
const LOCK_CLASS: i32 = 0x536b_7968;

/// For as long as a server that ends, or a session whose server was killed, may take to let go.
const SETTINGS: &str = "
SET lock_timeout = '3s';
SET statement_timeout = '60s';
SET client_min_messages = warning;
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 3;
SET tcp_keepalives_count = 3;
";

pub(super) struct Link {
    client: Client,
    /// Ends when the connection does.
    connection: JoinHandle<()>,
    statements: BTreeMap<String, Statement>,
    pub head: Head,
    /// The tick of the newest snapshot.
    pub snapshot: Option<Tick>,
    /// The last number that was given in the outbox.
    pub posted: u64,
    /// The last slice that is in and whose snapshot is not.
    pub slice: Option<SliceId>,
}

/// Something to send, of those that share one way there and back.
pub(super) enum Request<'a> {
    Plain(&'static str),
    /// One of [`append::STATEMENTS`] with its parameters.
    Prepared(&'static str, Vec<Parameter<'a>>),
}

pub(super) type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

impl Link {
    /// Connects, and waits a little for the lock. Must run where tokio's reactor is.
    pub async fn open(location: &Location) -> Result<Self, Trouble> {
        let link = Self::connect(location).await?;
        link.insist_on_durability().await?;
        link.take_lock(&location.words).await?;
        Ok(link)
    }

    /// Connects for reading only, beside whoever has the lock.
    pub async fn open_beside(location: &Location) -> Result<Self, Trouble> {
        let link = Self::connect(location).await?;
        link.client
            .batch_execute("SET default_transaction_read_only = on")
            .await?;
        Ok(link)
    }

    async fn connect(location: &Location) -> Result<Self, Trouble> {
        let (client, connection) = location.config.connect(NoTls).await?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to the database ended");
            }
        });
        let link = Link {
            client,
            connection,
            statements: BTreeMap::new(),
            head: Head::default(),
            snapshot: None,
            posted: 0,
            slice: None,
        };
        link.client.batch_execute(SETTINGS).await?;
        Ok(link)
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it is known already that nothing more comes of it.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Says good-bye, so that the next one need not wait for the lock.
    pub async fn close(self) {
        drop(self.client);
        let _aborted_at_worst = self.connection.await;
    }

    /// A commit must be on the disk when it is acknowledged, whatever this database's custom.
    async fn insist_on_durability(&self) -> Result<(), Trouble> {
        let row = self
            .client
            .query_one(
                "SELECT current_setting('synchronous_commit'), current_setting('fsync')",
                &[],
            )
            .await?;
        let (commit, fsync): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        if commit == "off" {
            self.client.batch_execute("SET synchronous_commit = on").await?;
        }
        if fsync == "off" {
            tracing::warn!(
                "this PostgreSQL runs with fsync off: what is acknowledged may be lost with the power"
            );
        }
        Ok(())
    }

    async fn take_lock(&self, place: &str) -> Result<(), Trouble> {
        let row = self
            .client
            .query_one("SELECT current_schema()::text", &[])
            .await?;
        let Some(schema) = row.try_get::<_, Option<&str>>(0)? else {
            return Err(StoreError::Unwritable {
                place: place.to_owned(),
                cause: "there is no schema of the search path's names".to_owned(),
            }
            .into());
        };
        let key = lock_key(schema);
        let locked = self
            .client
            .execute("SELECT pg_advisory_lock($1, $2)", &[&LOCK_CLASS, &key])
            .await
            .map_err(Trouble::from);
        match locked {
            Ok(_) => Ok(()),
            Err(trouble) if trouble.is_lock_timeout() => Err(StoreError::Locked {
                place: place.to_owned(),
                holder: self.holder_of_the_lock(key).await,
            }
            .into()),
            Err(trouble) => Err(trouble),
        }
    }

    /// What the other server's session calls itself, as far as this user may see that.
    async fn holder_of_the_lock(&self, key: i32) -> Option<String> {
        let found = self
            .client
            .query_opt(
                "SELECT coalesce(substring(application_name FROM '\\((.*)\\)'), application_name)
                    || coalesce(' at ' || host(client_addr), '')
             FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE locktype = 'advisory' AND granted AND objsubid = 2
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND classid::bigint = $1 AND objid::bigint = $2",
                &[&i64::from(LOCK_CLASS), &i64::from(key as u32)],
            )
            .await;
        found.ok()??.try_get(0).ok()?
    }

    /// Reads where the journal ends, and readies what writes it. The tables must be there.
    pub async fn get_ready(&mut self) -> Result<(), Trouble> {
        let row = self
            .client
            .query_one(
                "SELECT coalesce((SELECT last_seq FROM ingest ORDER BY first_seq DESC LIMIT 1), 0),
                        coalesce((SELECT tick FROM tick ORDER BY tick DESC LIMIT 1), 0),
                        coalesce((SELECT admitted_through FROM tick ORDER BY tick DESC LIMIT 1), 0),
                        (SELECT tick FROM snapshot),
                        (SELECT posted FROM world)",
                &[],
            )
            .await?;
        self.head = Head::new(
            unsigned(row.try_get(0)?)?,
            unsigned(row.try_get(1)?)?,
            unsigned(row.try_get(2)?)?,
        );
        self.snapshot = row.try_get::<_, Option<i64>>(3)?.map(unsigned).transpose()?;
        self.posted = unsigned(row.try_get(4)?)?;
        self.slice = undo::last_slice(self).await?;
        for sql in append::STATEMENTS {
            self.prepare(sql).await?;
        }
        Ok(())
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// How many rows a statement of its own changed.
    pub async fn change(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<usize, Trouble> {
        let statement = self.prepare(sql).await?;
        let changed = self.client.execute(&statement, parameters).await?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Rows of a statement that is asked for often.
    pub async fn rows(&mut self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Trouble> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query(&statement, parameters).await?)
    }

    /// Sends all of these before it waits for the first answer. They are carried out in this
    /// order; after one that fails within a transaction the others do nothing.
    pub async fn send(&self, requests: &[Request<'_>]) -> Result<(), Trouble> {
        let mut waiting = Vec::with_capacity(requests.len());
        for request in requests {
            waiting.push(Some(self.sent(request)));
        }
        poll_fn(|context| {
            let mut open = false;
            for slot in &mut waiting {
                let Some(answer) = slot else { continue };
                match answer.as_mut().poll(context) {
                    Poll::Ready(Ok(())) => *slot = None,
                    Poll::Ready(Err(trouble)) => return Poll::Ready(Err(trouble)),
                    Poll::Pending => open = true,
                }
            }
            if open { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }

    /// What is sent when it is first polled.
    fn sent<'a>(
        &'a self,
        request: &'a Request<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Trouble>> + 'a>> {
        match request {
            Request::Plain(sql) => Box::pin(async move { Ok(self.client.batch_execute(sql).await?) }),
            Request::Prepared(sql, parameters) => {
                let statement = self.statements.get(*sql);
                Box::pin(async move {
                    let statement = statement.expect("all that appends is ready");
                    let parameters = parameters.iter().map(|one| &**one as &(dyn ToSql + Sync));
                    self.client.execute_raw(statement, parameters).await?;
                    Ok(())
                })
            }
        }
    }
}

/// Two schemas of one database are two stores.
fn lock_key(schema: &str) -> i32 {
    let hash = blake3::hash(schema.as_bytes());
    let first = hash.as_bytes()[..4].try_into().expect("four of 32 bytes");
    i32::from_be_bytes(first)
}
