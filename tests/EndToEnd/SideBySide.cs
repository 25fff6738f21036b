using Xunit.Sdk;
using Xunit.v3;

// Nearly all of their time these tests wait, for a flush or for a process, and each has processes and folders of its own.
[assembly: Parallelization(Mode = ParallelMode.All, MaxThreads = 6)]
