//! A copy of the database while it is used.

use std::path::Path;

use sea_orm::{ConnectionTrait, Statement};

use crate::error::During;
use crate::{DatabaseKind, Store, StoreError, StoreErrorKind};

impl Store {
    /// Writes a whole and consistent copy of a SQLite database to a new file, while others read and write.
    /// Copy the database before the object store: then every version in the copy has its bytes.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when the file exists; `Unsupported` for PostgreSQL, which has tools of its own
    /// (`pg_dump --format=custom`, or `pg_basebackup` with an archive of its log); else when the disk is full
    /// or the database refuses.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let shown = file.display();
        if self.kind() == DatabaseKind::Postgres {
            let reason = "PostgreSQL has tools of its own: use `pg_dump --format=custom` on its URL";
            return Err(StoreError::new("copy the database to", shown, StoreErrorKind::Unsupported(reason)));
        }
        let Some(path) = file.to_str() else {
            let reason = "its name is not UTF-8".to_owned();
            return Err(StoreError::new("copy the database to", shown, StoreErrorKind::Invalid(reason)));
        };
        // SQLite would write into an empty file, and its own message about any other says nothing of it.
        if file.exists() {
            return Err(StoreError::new("copy the database to", shown, StoreErrorKind::AlreadyExists));
        }
        let statement =
            Statement::from_sql_and_values(self.read.get_database_backend(), "VACUUM INTO ?", [path.into()]);
        self.read.execute_raw(statement).await.during("copy the database to", shown)?;
        Ok(())
    }
}
