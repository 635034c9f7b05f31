// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

@Suite("A sequence of signals", .serialized, .timeLimit(.minutes(5)))
struct SignalSequenceTests {
  // Real-time signals, of which each delivery counts.
  private let first: Int32 = 40
  private let second: Int32 = 41

  @Test("gives every delivery, those before the first iteration too")
  func deliveries() async throws {
    let signals = try SignalSequence(first, second)
    kill(getpid(), first)
    kill(getpid(), first)
    kill(getpid(), second)
    var seen: [Int32] = []
    for await signal in signals {
      seen.append(signal)
      if seen.count == 3 { kill(getpid(), first) }
      if seen.count == 4 { break }
    }
    #expect(seen.sorted() == [first, first, first, second])
  }

  @Test("ends when its task is cancelled, which loses nothing")
  func cancellation() async throws {
    try await withSignals(first) { signals in
      let task = Task { for await _ in signals { Issue.record("no signal was sent") } }
      task.cancel()
      await task.value
      kill(getpid(), first)
      var iterator = signals.makeAsyncIterator()
      let signal = await iterator.next()
      #expect(signal == first)
    }
  }

  @Test("gives each signal to one of several iterations, and to each of several sequences")
  func several() async throws {
    let shared = try SignalSequence(first)
    let other = try SignalSequence(first)
    async let both = withTaskGroup(of: Int32?.self) { group in
      for _ in 0..<2 {
        group.addTask {
          var iterator = shared.makeAsyncIterator()
          return await iterator.next()
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    kill(getpid(), first)
    kill(getpid(), first)
    #expect(await both == [first, first])
    var iterator = other.makeAsyncIterator()
    for _ in 0..<2 {
      let signal = await iterator.next()
      #expect(signal == first)
    }
  }

  @Test("gives the signals back when it is dropped")
  func end() async throws {
    try await withSignals(first) { _ in #expect(isHandled(first)) }
    #expect(!isHandled(first))
  }

  @Test("refuses what cannot be handled", arguments: [SIGKILL, SIGSEGV, 0, 1000])
  func refused(signal: Int32) {
    #expect { try SignalSequence(signal) } throws: { ($0 as? PebbleError)?.code == .invalidArgument }
  }

  private func isHandled(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return action.__sigaction_handler.sa_handler != nil
  }
}
