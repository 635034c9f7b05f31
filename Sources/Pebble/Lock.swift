// SPDX-License-Identifier: Apache-2.0
public import Dispatch
internal import Glibc

/// What `@Synchronized` can be given to hold during a call.
///
/// Types that have the two methods already need one line: `extension NSLock: @retroactive Lockable {}`.
public protocol Lockable: Sendable {
  /// Takes the lock, waiting until it is free.
  func lock()
  /// Gives it back, on the thread that took it.
  func unlock()
}

/// A lock; a thread that holds it may take it again.
///
/// `@unchecked Sendable`: the mutex is made to be used from any thread, and does not move.
public final class Lock: Lockable, @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  public init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  public func lock() { pthread_mutex_lock(mutex) }
  public func unlock() { pthread_mutex_unlock(mutex) }
}

/// As many calls at once as the semaphore has places; made with 1, it is a lock.
extension DispatchSemaphore: Lockable {
  public func lock() { wait() }
  public func unlock() { signal() }
}
