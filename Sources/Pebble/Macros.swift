// SPDX-License-Identifier: Apache-2.0
#if Macros
  /// Makes a function callable in a worker process.
  ///
  /// ```swift
  /// let pages = #process(render)
  /// let lengths = #process { (text: String) in text.count }
  ///
  /// let future = try pool.schedule(lengths, "hello")
  /// ```
  ///
  /// The function may be any that can be named or written down: your own or another module's, synchronous or `async`,
  /// throwing or not. Its arguments and its result travel between processes and must be `Codable` and `Sendable`; it
  /// may also return nothing. A function's name becomes the name of the result, a closure is named after its place in
  /// the source.
  ///
  /// - Parameter function: A function or a closure. It cannot capture anything, since only its address is sent to the
  ///   worker process: pass values as arguments instead. A closure's parameters need their types, as in
  ///   `{ (text: String) in … }`; one of several overloads is chosen with `as`, as in `f as (Int) -> Int`; and a
  ///   static method is named with its type, also within that type.
  ///
  /// - Returns: The function as pools take it. Its types are those of `function`: to write others, such as
  ///   `ProcessFunction<Int?, Int>` for a function that returns `Int`, is a mistake that the compiler does not see.
  ///
  /// ## Limitations
  ///
  /// Variables declared at the top level of main.swift do not exist in worker processes, which never run its
  /// statements. A function that is isolated to the main actor goes into a closure: `{ (n: Int) in await f(n) }`.
  /// Within a closure `#line` is the line of `#process`; error messages and backtraces have the right one.
  @freestanding(expression)
  public macro process<Result: Sendable, each Argument: Codable & Sendable>(
    _ function: sending (repeat each Argument) async throws -> Result
  ) -> ProcessFunction<Result, repeat each Argument> =
    #externalMacro(module: "PebbleMacros", type: "ProcessMacro")

  /// Runs every call of a function in a worker process.
  ///
  /// A decorated function keeps its signature, in one of two forms. It is `async throws`, and a call waits for the
  /// worker process:
  ///
  /// ```swift
  /// @ConcurrentProcess(timeout: .seconds(10))
  /// func thumbnail(_ png: [UInt8], side: Int) async throws -> [UInt8] {
  ///   try decode(png, side)
  /// }
  ///
  /// let image = try await thumbnail(png, side: 64)
  /// ```
  ///
  /// Or it returns a ``ProcessFuture``, while its body returns the value; the body may throw and await, although the
  /// function is marked with neither:
  ///
  /// ```swift
  /// @ConcurrentProcess
  /// func square(_ n: Int) -> ProcessFuture<Int> {
  ///   n * n
  /// }
  ///
  /// let future = square(12)
  /// let value = try await future.value
  /// ```
  ///
  /// A call throws what the body throws, and also when the time is over or the process dies. In a worker process, a
  /// decorated function is an ordinary one: it runs right there, so recursion does not multiply processes.
  ///
  /// The attribute goes on global and local functions and on methods, private ones included; a local function must be
  /// `@Sendable`. Arguments and the result must be `Codable` and `Sendable`; so must `self` for an instance method,
  /// which is the first argument: the body works on a copy.
  ///
  /// - Parameters:
  ///   - timeout: How long the body may run, in any unit of `Duration`. Without it, as long as it likes.
  ///   - name: What errors and statistics call the function. Without it, its own name.
  ///   - pool: The pool whose workers run the function. Without it, each call gets a process of its own.
  ///
  /// ## Limitations
  ///
  /// The function cannot be generic or in a generic type, be `mutating`, belong to an actor instance, or have closures,
  /// opaque types, variadics, or `inout` among its parameters; each is an error that says what to do instead. Global
  /// variables of main.swift do not exist in worker processes. Within the body `#function` ends in `__body`, and
  /// `#line` is the line of the declaration; error messages and backtraces have the right one.
  @attached(body)
  public macro ConcurrentProcess(timeout: Duration? = nil, name: String? = nil, pool: ProcessPool? = nil) =
    #externalMacro(module: "PebbleMacros", type: "ConcurrentProcessMacro")
#endif
