import DiffusionModels
import Foundation
import TensorCheckpoints

/// What can go wrong between a request and its pictures.
public enum PipelineError: Error, Sendable, Equatable {
  /// The model that comes with the engine is in none of the places where it is looked for.
  case embeddedModelMissing(searched: [String])
  /// The vocabulary that comes with the engine is in none of the places where it is looked for.
  case embeddedVocabularyMissing(searched: [String])
  /// There is nothing at the path, or nothing that is known as a model.
  case noModel(path: String, problem: String)
  /// The model's files are not right.
  case model(ModelError)
  /// The request asks for what the model or the engine cannot do: which part of it, and why.
  case request(part: String, problem: String)
  /// A value became infinite or not a number, with the step and its level.
  case nonFinite(String)
  /// A likelihood could not be had, with the level.
  case likelihood(String)
  /// A picture's file has no recipe, or none that can be read.
  case recipe(path: String, problem: String)
  /// The task was cancelled before this step of this batch of pictures.
  case cancelled(step: Int)
}

extension PipelineError: LocalizedError, CustomStringConvertible {
  /// One line: what was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .embeddedModelMissing(let searched):
      "the model that comes with the engine was not found; give one with --model, or put it back: "
        + "searched \(searched.joined(separator: ", "))"
    case .embeddedVocabularyMissing(let searched):
      "the vocabulary that comes with the engine was not found; give one with --vocabulary, or put it "
        + "back: searched \(searched.joined(separator: ", "))"
    case .noModel(let path, let problem), .recipe(let path, let problem): "\(path): \(problem)"
    case .model(let error): error.description
    case .request(let part, let problem): "\(part): \(problem)"
    case .nonFinite(let place): place
    case .likelihood(let problem): problem
    case .cancelled(let step): "cancelled before step \(step + 1)"
    }
  }

  /// ``description``.
  public var errorDescription: String? { description }
}
