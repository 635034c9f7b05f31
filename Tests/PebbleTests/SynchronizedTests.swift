// SPDX-License-Identifier: Apache-2.0
#if Macros
  import Dispatch
  import Pebble
  import Synchronization
  import Testing

  // What only the lock keeps right.
  nonisolated(unsafe) private var ownCount = 0
  nonisolated(unsafe) private var givenCount = 0
  private let given = Lock()
  private let semaphore = DispatchSemaphore(value: 1)

  @Synchronized
  private func countUp() {
    ownCount += 1
  }

  @Synchronized(given)
  private func countUp(by n: Int) -> Int {
    givenCount += n
    return givenCount
  }

  @Synchronized(given)
  private func countDown() throws -> Int { try failing(givenCount) }

  @Synchronized(semaphore)
  private func withSemaphore(_ body: () -> Bool) -> Bool { body() }

  @Synchronized
  private func recursive(_ n: Int) -> Int { n == 0 ? 0 : 1 + recursive(n - 1) }

  private struct Refusal: Error, Equatable {}

  private func failing(_ n: Int) throws -> Int { throw Refusal() }

  private struct Tally {
    var count = 0
    let lock = Lock()

    @Synchronized(\Tally.lock)
    mutating func countUp<T: BinaryInteger>(by n: T) throws(Refusal) -> Int {
      guard n > 0 else { throw Refusal() }
      count += Int(n)
      return count
    }
  }

  @Suite("A synchronized function", .timeLimit(.minutes(5)))
  struct SynchronizedTests {
    @Test("lets one thread in at a time")
    func exclusive() {
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        for _ in 0..<20_000 {
          countUp()
          _ = countUp(by: 1)
        }
      }
      #expect(ownCount == 80_000)
      #expect(countUp(by: 0) == 80_000)
    }

    @Test("holds the lock during the call, and not after it")
    func held() {
      #expect(withSemaphore { semaphore.wait(timeout: .now()) == .timedOut })
      #expect(semaphore.wait(timeout: .now()) == .success)
      semaphore.signal()
    }

    @Test("gives the lock back when it throws")
    func throwing() async {
      #expect(throws: Refusal.self) { try countDown() }
      let other = Task.detached { countUp(by: 0) }
      _ = await other.value
    }

    @Test("may call itself")
    func recursion() {
      #expect(recursive(100) == 100)
    }

    @Test("may be a mutating, generic method that throws an error of its own type")
    func mutating() throws {
      var tally = Tally()
      #expect(try tally.countUp(by: UInt8(2)) == 2)
      #expect(try tally.countUp(by: 3) == 5)
      #expect(throws: Refusal()) { try tally.countUp(by: 0) }
    }
  }
#endif
