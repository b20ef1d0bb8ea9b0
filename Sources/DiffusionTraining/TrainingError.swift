import DiffusionModels
import Foundation
import TensorCheckpoints

/// What stops a training run that is not the program's own fault.
public enum TrainingError: Error, Sendable, Equatable {
  /// A configuration file that cannot be read or is no JSON.
  case unreadableConfiguration(path: String, reason: String)
  /// A key of the configuration that is unknown, of the wrong kind, or not a value that works.
  case configuration(source: String, key: String, problem: String)
  /// A `--set` that is not `key=value`.
  case malformedSetting(String)
  /// A loss or gradient that is not finite.
  case nonFinite(step: Int, quantity: String, origin: String)
  /// A checkpoint that is not of the run that is to go on.
  case foreignCheckpoint(path: String, problem: String)
  /// A checkpoint whose file or tensors are at fault, or that cannot be written.
  case checkpoint(CheckpointError)
  /// A network that cannot be made.
  case model(ModelError)
  /// Samples that failed.
  case sampling(String)
  /// A table of the run's steps that is none.
  case log(path: String, problem: String)
  /// A file or folder that cannot be written.
  case unwritable(path: String, reason: String)
  /// Data that cannot be read.
  case data(DataError)
  /// Data that does not suit the network.
  case unsuitableData(path: String, problem: String)
}

extension TrainingError: CustomStringConvertible, LocalizedError {
  /// One line: what was found where, what was expected and what to do.
  public var description: String {
    switch self {
    case .unreadableConfiguration(let path, let reason):
      "\(path): the configuration cannot be read: \(reason)"
    case .configuration(let source, let key, let problem):
      key.isEmpty ? "\(source): \(problem)" : "\(source): \(key): \(problem)"
    case .malformedSetting(let text):
      "--set \(text): expected key=value, such as training.steps=1000"
    case .nonFinite(let step, let quantity, let origin):
      "step \(step): the \(quantity) is not finite; the first value that is not came from \(origin); "
        + "lower the learning rate or clip gradients"
    case .foreignCheckpoint(let path, let problem): "\(path): \(problem)"
    case .checkpoint(let error): error.description
    case .model(let error): error.description
    case .sampling(let reason): "sampling: \(reason)"
    case .log(let path, let problem): "\(path): \(problem)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .data(let error): error.description
    case .unsuitableData(let path, let problem): "\(path): \(problem)"
    }
  }

  /// The same as ``description``.
  public var errorDescription: String? { description }
}
