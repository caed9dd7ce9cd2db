//! Rows into the columns of a Parquet row group, one column after the other as the schema has
//! them; a row may have a list of items, whose fields are columns too.

use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

pub struct Columns<'g, 'f, W: std::io::Write + Send> {
    pub group: &'g mut SerializedRowGroupWriter<'f, W>,
}

impl<W: std::io::Write + Send> Columns<'_, '_, W> {
    /// # Errors
    /// More columns than the schema has, or a sink that takes no more; as for all here.
    pub fn required<T: DataType, R>(
        &mut self,
        rows: &[R],
        read: impl Fn(&R) -> T::T,
    ) -> Result<(), ParquetError> {
        let values: Vec<T::T> = rows.iter().map(read).collect();
        self.put::<T>(&values, None, None)
    }

    /// # Errors
    /// See [`Columns::required`].
    pub fn optional<T: DataType, R>(
        &mut self,
        rows: &[R],
        read: impl Fn(&R) -> Option<T::T>,
    ) -> Result<(), ParquetError> {
        let (mut values, mut definitions) = (Vec::new(), Vec::with_capacity(rows.len()));
        for value in rows.iter().map(read) {
            definitions.push(i16::from(value.is_some()));
            values.extend(value);
        }
        self.put::<T>(&values, Some(&definitions), None)
    }

    /// A field of the items of a row's list.
    ///
    /// # Errors
    /// See [`Columns::required`].
    pub fn listed<T: DataType, R, I>(
        &mut self,
        rows: &[R],
        items: impl Fn(&R) -> &[I],
        read: impl Fn(&I) -> T::T,
    ) -> Result<(), ParquetError> {
        self.of_items::<T, R, I>(rows, 0, items, |item| Some(read(item)))
    }

    /// # Errors
    /// See [`Columns::required`].
    pub fn listed_optional<T: DataType, R, I>(
        &mut self,
        rows: &[R],
        items: impl Fn(&R) -> &[I],
        read: impl Fn(&I) -> Option<T::T>,
    ) -> Result<(), ParquetError> {
        self.of_items::<T, R, I>(rows, 1, items, read)
    }

    /// A row without items is a list that is defined up to nothing; the first item of a row
    /// begins a new list, the others repeat it. `optional` is how many levels the value itself
    /// has.
    fn of_items<T: DataType, R, I>(
        &mut self,
        rows: &[R],
        optional: i16,
        items: impl Fn(&R) -> &[I],
        read: impl Fn(&I) -> Option<T::T>,
    ) -> Result<(), ParquetError> {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let items = items(row);
            if items.is_empty() {
                definitions.push(0);
                repetitions.push(0);
            }
            for (number, item) in items.iter().enumerate() {
                let value = read(item);
                let missing = if value.is_none() { optional } else { 0 };
                definitions.push(1 + optional - missing);
                repetitions.push(i16::from(number > 0));
                values.extend(value);
            }
        }
        self.put::<T>(&values, Some(&definitions), Some(&repetitions))
    }

    fn put<T: DataType>(
        &mut self,
        values: &[T::T],
        definitions: Option<&[i16]>,
        repetitions: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let column = self.group.next_column()?;
        let mut column = column.ok_or(ParquetError::General("more columns than the schema has".into()))?;
        column
            .typed::<T>()
            .write_batch(values, definitions, repetitions)?;
        column.close()
    }
}
