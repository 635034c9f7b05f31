// SPDX-License-Identifier: Apache-2.0
#if Macros
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
