// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import PebbleCommand

struct CommandTemplateTests {
  @Test(arguments: [
    (["cat"], "a", "cat a"),
    (["cp", "{}", "{}.old"], "a b", "cp 'a b' 'a b'.old"),
    (["echo {#}: {}"], "x", "echo 7: x"),
    (["echo", "{#}"], "x", "echo 7 x"),
    (["echo"], "it's; rm", #"echo 'it'\''s; rm'"#),
    (["echo"], "", "echo ''"),
    (["echo"], "-n", "echo -n"),
    (["echo"], "ü$(x)", "echo 'ü$(x)'"),
    (["a{b}{", "{}"], "x", "a{b}{ x"),
  ])
  func aLineTakesItsPlace(words: [String], line: String, command: String) {
    #expect(CommandTemplate(words: words).command(line: line, number: 7) == command)
  }

  @Test func whatTheLineHasIsNoPlace() {
    #expect(CommandTemplate(words: ["echo"]).command(line: "{#}{}", number: 7) == "echo '{#}{}'")
  }
}

struct AmountTests {
  @Test(arguments: [
    ("2", Duration.seconds(2)), ("1.5s", .seconds(1.5)), ("500ms", .milliseconds(500)), ("3m", .seconds(180)),
    ("1h", .seconds(3600)),
  ])
  func lengths(text: String, length: Duration) {
    #expect(Length(argument: text)?.duration == length)
  }

  @Test(arguments: ["", "0", "-1", "s", "1d", "1e3", "inf", "nan", "1 s", "99999999999"])
  func noLengths(text: String) {
    #expect(Length(argument: text) == nil)
  }

  @Test(arguments: [("4096", 4096), ("64K", 65_536), ("1.5M", 1_572_864), ("2G", 2 << 30)])
  func sizes(text: String, bytes: Int) {
    #expect(Size(argument: text)?.bytes == bytes)
  }

  @Test(arguments: ["", "0", "0.5", "-1", "1T", "99999999999G"])
  func noSizes(text: String) {
    #expect(Size(argument: text) == nil)
  }
}

struct ProgressTests {
  @Test func aBarAndItsNumbers() {
    var progress = Progress()
    progress.read = 4
    #expect(progress.line(width: 30, elapsed: .seconds(2)) == "[-----------------] 0/4+, 2 s")
    progress.done = 1
    progress.isComplete = true
    #expect(progress.line(width: 80, elapsed: .seconds(2)).hasSuffix("] 1/4, 7 s left"))
    progress.done = 4
    progress.failed = 2
    #expect(progress.line(width: 80, elapsed: .seconds(9)) == "[" + String(repeating: "#", count: 40) + "] 4/4, 2 failed, 9 s")
  }

  @Test(arguments: 0...100)
  func aNarrowTerminalIsNotExceeded(width: Int) {
    var progress = Progress()
    progress.read = 1_000_000
    progress.done = 999_999
    #expect(progress.line(width: width, elapsed: .seconds(1)).count <= max(0, width - 1))
  }
}

struct WorkerTableTests {
  @Test func titles() throws {
    let busy = try #require(WorkerEntry.parse(title: "pebble: my pool worker 12: parse: all"))
    #expect(busy.pool == "my pool" && busy.number == 12 && busy.job == "parse: all")
    let idle = try #require(WorkerEntry.parse(title: "pebble: run worker 3"))
    #expect(idle.pool == "run" && idle.number == 3 && idle.job == nil)
    for other in ["pebble: fork server", "pebble run --jobs 3", "pebble: x worker y", ""] {
      #expect(WorkerEntry.parse(title: other) == nil)
    }
  }

  @Test func theLoadIsThatSinceTheLastReading() {
    var worker = WorkerEntry(
      processID: 5, pool: "p", number: 1, job: "j", state: "R", cpuSeconds: 1, residentBytes: 3 << 20)
    let server = { ServerEntry(processID: 4, hostID: 3, hostName: "h", workers: [worker]) }
    var table = WorkerTable()
    let now = ContinuousClock.now
    let first = table.lines([server()], at: now, width: 80)
    #expect(first[0] == "h (3): 1 worker, 1 busy")
    #expect(first[2] == "        5  p                 1 R      -      1.0      3  j")
    worker.cpuSeconds = 2
    #expect(table.lines([server()], at: now + .seconds(4), width: 80)[2].contains(" R     25      2.0"))
    #expect(table.lines([], at: now, width: 80) == ["no pools"])
  }
}
