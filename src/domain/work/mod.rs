//! 任务: jobs that the record promises, and how an attempt that ended unclear is settled.

pub mod doubt;
pub mod job;
