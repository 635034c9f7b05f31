// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// What the threads of a pool do first and last. The pool's handle keeps it as long as there are any.
final class ThreadProcedures: Sendable {
  typealias Body = @Sendable () throws -> Void

  private let setUp: Body?
  private let tearDown: Body?
  private let lastError = Mutex<(any Error)?>(nil)

  /// Nil when there is nothing to do.
  init?(setUp: Body?, tearDown: Body?) {
    guard setUp != nil || tearDown != nil else { return nil }
    self.setUp = setUp
    self.tearDown = tearDown
  }

  /// What `setUp` threw last.
  var error: (any Error)? { lastError.withLock { $0 } }

  var initializer: WorkerCall? {
    setUp.map { _ in WorkerCall(entry: { ThreadProcedures.given(to: $0).runSetUp() }, input: address) }
  }

  var finalizer: WorkerCall? {
    tearDown.map { _ in WorkerCall(entry: { ThreadProcedures.given(to: $0).runTearDown() }, input: address) }
  }

  private var address: [UInt8] {
    withUnsafeBytes(of: Unmanaged.passUnretained(self)) { Array($0) }
  }

  private static func given(to call: OpaquePointer) -> ThreadProcedures {
    CallHandle(call).input.loadUnaligned(as: Unmanaged<ThreadProcedures>.self).takeUnretainedValue()
  }

  private func runSetUp() -> Int32 {
    do {
      try setUp?()
      return 0
    } catch {
      lastError.withLock { $0 = error }
      return ReplyCode.thrown.rawValue
    }
  }

  private func runTearDown() -> Int32 {
    try? tearDown?()
    return 0
  }
}
