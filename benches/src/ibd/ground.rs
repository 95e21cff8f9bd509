//! What the measurements of a run have in common: the chains, and the processes that serve them to those who download.

use super::bystander::Bystander;
use super::chain::{self, Kind};
use super::talk::Report;
use super::{Shape, Task};
use crate::cell::Sample;
use crate::child::Process;
use crate::serve;
use crate::subject::{self, Subject};
use crate::work::Work;
use crate::{Failure, instructions, sys};
use sockman_p2p::chain::generate::FIRST_SPEND;
use std::ffi::OsStr;
use std::path::PathBuf;
use tempfile::TempDir;

/// Files and processes, each made when it is needed first.
pub struct Ground {
    quick: bool,
    folder: Option<TempDir>,
    chains: Vec<(Kind, PathBuf)>,
    sources: Vec<(Kind, Process, String)>,
}

impl Ground {
    /// Whether it is to be quick.
    pub fn quick(&self) -> bool {
        self.quick
    }

    /// With short chains if it is to be quick.
    pub fn new(quick: bool) -> Ground {
        Ground {
            quick,
            folder: None,
            chains: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn kind(&self, task: Task) -> Kind {
        Kind {
            tiny: task.shape.is_tiny(),
            quick: self.quick,
        }
    }

    /// A folder that ends with this.
    fn folder(&mut self) -> Result<PathBuf, Failure> {
        if self.folder.is_none() {
            self.folder = Some(tempfile::tempdir()?);
        }
        let folder = self.folder.as_ref().ok_or("no folder")?;
        Ok(folder.path().to_owned())
    }

    /// The file of the task's chain.
    fn chain(&mut self, kind: Kind) -> Result<PathBuf, Failure> {
        if let Some((_, path)) = self.chains.iter().find(|(other, _)| *other == kind) {
            return Ok(path.clone());
        }
        let name = if kind.tiny { "tiny" } else { "big" };
        let path = self.folder()?.join(name);
        chain::write(kind, &path)?;
        self.chains.push((kind, path.clone()));
        Ok(path)
    }

    /// The arguments by which a server is told what to serve.
    pub fn chain_argument(&mut self, task: Task) -> Result<[String; 2], Failure> {
        let chain = self.chain(self.kind(task))?;
        let chain = chain.into_os_string().into_string();
        Ok([
            "--chain".to_owned(),
            chain.map_err(|_| "a folder with a name that is not text")?,
        ])
    }

    /// Where the task's chain is served.
    fn source(&mut self, task: Task) -> Result<String, Failure> {
        let kind = self.kind(task);
        if let Some((.., at)) = self.sources.iter().find(|(other, ..)| *other == kind) {
            return Ok(at.clone());
        }
        let subject = subject::find(subject::source()).ok_or("nobody serves")?;
        let mut args = serve::arguments(subject, Work::Ibd);
        args.extend(self.chain_argument(task)?);
        if let Some((_, core)) = sys::two_cores() {
            args.extend(["--pin".to_owned(), core.to_string()]);
        }
        let mut process = Process::this(&[], args)?;
        let line = serve::able(process.answer()?)?;
        let at = line.split(' ').next().unwrap_or_default().to_owned();
        self.sources.push((kind, process, at.clone()));
        Ok(at)
    }

    /// Lets a subject download, behind a tool if there is one: all blocks, or so many.
    pub fn download(
        &mut self,
        subject: &Subject,
        task: Task,
        tool: &[&OsStr],
        blocks: Option<u64>,
    ) -> Result<(Report, Option<f64>), Failure> {
        let mut args = vec!["download".to_owned(), subject.name.to_owned()];
        let at = self.source(task)?;
        let folder = self.folder()?.into_os_string().into_string();
        let folder = folder.map_err(|_| "a folder with a name that is not text")?;
        let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
        option("--at", at);
        option("--shape", task.shape.name().to_owned());
        option("--level", task.level.name().to_owned());
        option("--folder", folder);
        if let Some(blocks) = blocks {
            option("--blocks", blocks.to_string());
        }
        let bystander = match task.shape {
            Shape::Crowd => Some(Bystander::new()?),
            _ => None,
        };
        if let Some(bystander) = &bystander {
            option("--bystander", bystander.at.to_string());
        }
        if let Some((core, _)) = sys::two_cores() {
            option("--pin", core.to_string());
        }
        let mut process = Process::this(tool, args)?;
        let line = serve::able(process.line()?)?;
        process.finish(instructions::TO_END)?;
        let report = serde_json::from_str(&line)?;
        let worst = bystander.map(Bystander::worst).transpose()?;
        Ok((report, worst.map(|worst| worst.as_secs_f64() * 1e6)))
    }

    /// Two numbers of blocks from whose difference the system calls of each are known. Those before the first are tiny in any
    /// case.
    pub fn some_blocks(&self, task: Task) -> (u64, u64) {
        let begin = u64::from(FIRST_SPEND) + 1;
        match (task.shape, self.quick) {
            (Shape::Serve, _) => (500, 1_500),
            (Shape::Tiny | Shape::Single, false) => (begin, begin + 2_000),
            (Shape::Big | Shape::Crowd, true) => (begin, begin + 4),
            _ => (begin, begin + 100),
        }
    }

    /// Measures one download.
    pub fn measure(&mut self, subject: &Subject, task: Task) -> Result<Sample, Failure> {
        let (report, ping_us) = self.download(subject, task, &[], None)?;
        let seconds = report.elapsed_ns.max(1) as f64 / 1e9;
        let (blocks, bytes) = (report.blocks.max(1) as f64, report.bytes.max(1) as f64);
        Ok(Sample {
            interface: report.interface,
            ops_per_s: blocks / seconds,
            cpu_us: report.cpu_ns as f64 / 1e3 / blocks,
            calls: report.counts.map(|counts| counts.calls as f64 / blocks),
            turns: report.counts.map(|counts| counts.turns as f64 / blocks),
            rss_mib: report.peak_kib as f64 / 1024.0,
            bytes_per_s: Some(bytes / seconds),
            cpu_s_per_gb: Some(report.cpu_ns as f64 / bytes),
            ping_us,
            ..Sample::default()
        })
    }
}
