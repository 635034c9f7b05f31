// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// The iterations of one map, whatever its pool is.
protocol MapRuns<Value>: Sendable {
  associatedtype Value: Sendable

  func begin() -> any MapIteration<Value>

  /// Cancels those so far.
  func cancel()
}

/// The iterations of one map.
final class PoolMapRuns<Input, Value: Sendable>: MapRuns {
  typealias Window = MapWindow<Input, Value>
  typealias Run = MapRun<Input, Value>

  private struct WeakWindow {
    weak var window: Window?
  }

  private let plan: MapPlan<Input, Value>
  private let make: @Sendable (Window) -> Run
  private let windows = Mutex<[WeakWindow]>([])

  private init(_ plan: MapPlan<Input, Value>, _ make: @escaping @Sendable (Window) -> Run) {
    self.plan = plan
    self.make = make
  }

  /// - Parameter inputs: begins the inputs; what it returns takes so many of them, fewer at their end.
  convenience init(_ plan: MapPlan<Input, Value>, _ inputs: @escaping @Sendable () -> (Int) -> [Input]) {
    self.init(plan) { MapRun($0, nextInputs: inputs()) }
  }

  /// - Parameter prepare: makes of an input what the pool takes.
  convenience init<Inputs: Sequence & Sendable>(
    _ plan: MapPlan<Input, Value>, _ inputs: Inputs, prepare: @escaping @Sendable (Inputs.Element) -> Input
  ) {
    self.init(plan) {
      var inputs = inputs.makeIterator()
      return { count in
        var elements: [Input] = []
        while elements.count < count, let input = inputs.next() { elements.append(prepare(input)) }
        return elements
      }
    }
  }

  /// - Parameter prepare: makes of an input what the pool takes.
  convenience init<Inputs: AsyncSequence & Sendable>(
    _ plan: MapPlan<Input, Value>, _ inputs: Inputs, prepare: @escaping @Sendable (Inputs.Element) -> Input
  ) {
    self.init(plan) { window in
      window.feed { await $0.take(inputs, prepare) }
      return MapRun(window)
    }
  }

  func begin() -> any MapIteration<Value> {
    let window = Window(plan)
    windows.withLock { windows in
      windows.removeAll { $0.window == nil }
      windows.append(WeakWindow(window: window))
    }
    return make(window)
  }

  func cancel() {
    let current = windows.withLock { $0.compactMap(\.window) }
    for window in current { window.cancel() }
  }
}
