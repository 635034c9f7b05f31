// SPDX-License-Identifier: Apache-2.0

/// A function to be run, and how.
struct Job {
  let entry: ProcessEntry
  /// The function's name, for errors.
  let function: String
  /// Shown in process titles, where it is not the function's name.
  let title: String?
  let limits: JobLimits
  /// Where what it says while it runs is put.
  var updates: QueueHandle? = nil
}

extension Job {
  init<Value, each Argument>(
    _ function: ProcessFunction<Value, repeat each Argument>, title: String?, limits: JobLimits,
    updates: (any JobUpdateQueue)? = nil
  ) {
    self.init(
      entry: function.entry, function: function.name, title: title, limits: limits, updates: updates?._reference.handle)
  }
}

extension Payload {
  /// The input of a job that is one call.
  convenience init<each Argument: Encodable>(call arguments: repeat each Argument) throws {
    self.init(lends: true)
    append(raw: InputForm.call.rawValue)
    try append(arguments: repeat each arguments)
  }
}
