// SPDX-License-Identifier: Apache-2.0
#if Macros
  /// Runs every call of a function in a thread of its own kind, away from the caller's and from Swift's executors.
  ///
  /// For functions that block: they cost a thread as long as they do, and no other task waits for them. As with
  /// ``ConcurrentProcess(timeout:name:pool:)`` the function is `async throws`, or returns a future while its body
  /// returns the value:
  ///
  /// ```swift
  /// @ConcurrentThread(timeout: .seconds(10))
  /// func fetch(_ id: Int) async throws -> Page { try blockingFetch(id) }
  ///
  /// @ConcurrentThread
  /// func square(_ n: Int) -> Future<Int> { n * n }
  /// ```
  ///
  /// A thread cannot be killed: when a call is cancelled or over its limit its caller is told at once, ``isJobCancelled``
  /// becomes true in the body, and the thread is taken until the body returns. The function may be generic, a method,
  /// and use what is around it; its body cannot await.
  ///
  /// - Parameters:
  ///   - timeout: How long the body may run, in any unit of `Duration`. Without it, as long as it likes.
  ///   - name: What errors call the function. Without it, its own name.
  ///   - pool: The pool whose threads run the function. Without it, there is a thread for each call at a time.
  @attached(body)
  public macro ConcurrentThread(timeout: Duration? = nil, name: String? = nil, pool: ThreadPool? = nil) =
    #externalMacro(module: "PebbleMacros", type: "ConcurrentThreadMacro")

  /// Lets one thread at a time into a function.
  ///
  /// ```swift
  /// @Synchronized
  /// func log(_ line: String) { … }
  ///
  /// let files = Lock()
  ///
  /// @Synchronized(files)
  /// func rename(_ old: String, to new: String) throws { … }
  /// ```
  ///
  /// Without a lock the function has one of its own, the same for all instances of a type. Functions that are given
  /// the same lock keep each other out. A call that throws gives the lock back too. The function may be throwing,
  /// mutating, or an initializer; it cannot be `async`, since the lock would be held while others run on its thread.
  ///
  /// - Parameter lock: A ``Lockable``: a ``Lock``, a `DispatchSemaphore`, or a lock of yours. Generic functions and
  ///   types need one.
  @attached(body)
  public macro Synchronized(_ lock: (any Lockable)? = nil) =
    #externalMacro(module: "PebbleMacros", type: "SynchronizedMacro")

  /// Lets one thread at a time into those methods of an instance that are given the same lock of it.
  ///
  /// ```swift
  /// struct Journal {
  ///   let lock = Lock()
  ///
  ///   @Synchronized(\Journal.lock)
  ///   mutating func append(_ line: String) { … }
  /// }
  /// ```
  ///
  /// - Parameter lock: The key path of a ``Lockable`` property of `self`.
  @attached(body)
  public macro Synchronized<Root, L: Lockable>(_ lock: KeyPath<Root, L>) =
    #externalMacro(module: "PebbleMacros", type: "SynchronizedMacro")

  /// Has a function called whenever one of these signals comes to the process.
  ///
  /// ```swift
  /// @SignalHandler(SIGTERM, SIGHUP)
  /// func reload(_ signal: Int32) { … }
  /// ```
  ///
  /// Nothing needs to be called for it to take effect: the handler is there before `main`, as long as the process
  /// lives. The function runs on an ordinary thread that Pebble keeps for signals, and so may lock, allocate, print and
  /// wait; while it runs no other handler does. Worker processes have no handlers.
  ///
  /// The attribute goes on global functions and static methods with one parameter of type `Int32`, or none, which are
  /// neither `async` nor throwing. SIGKILL and SIGSTOP cannot be handled, nor signals that tell of a fault in the
  /// thread that gets them, such as SIGSEGV. Needs Swift 6.3 or newer, and a file that is not main.swift.
  ///
  /// - Parameter signals: The signals' numbers.
  @attached(peer, names: prefixed(__pebble_signals_))
  public macro SignalHandler(_ signals: Int32...) =
    #externalMacro(module: "PebbleMacros", type: "SignalHandlerMacro")
#endif
