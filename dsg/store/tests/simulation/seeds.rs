//! Handing out seeds to processes: steps are made to fail for a whole process, so each runs one seed
//! at a time.
