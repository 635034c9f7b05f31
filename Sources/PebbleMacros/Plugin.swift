// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftCompilerPlugin
  import SwiftSyntaxMacros

  /// The compiler plug-in that expands Pebble's macros.
  @main
  struct Plugin: CompilerPlugin {
    let providingMacros: [any Macro.Type] = [
      ConcurrentProcessMacro.self,
      ConcurrentThreadMacro.self,
      ProcessMacro.self,
      SignalHandlerMacro.self,
      SynchronizedMacro.self,
    ]
  }
#else
  /// A macro target is an executable, also when the package trait `Macros` is off and nothing ever starts it.
  @main
  enum Plugin {
    static func main() {}
  }
#endif
