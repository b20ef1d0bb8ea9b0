import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

/// The small parts of a state, as the checkpoint's metadata holds them.
private struct StateRecord: Codable {
  var step: Int
  var cursor: DataCursor
  var draws: CounterGenerator
  var optimizerSteps: Int
  var averagedSteps: Int
}

extension TrainingState {
  /// What the metadata's `format` says.
  static var format: String { "swift-diffusion-engine training checkpoint 1" }

  /// Writes everything as one safetensors file, whole or not at all: the weights under their names, their average under
  /// `ema.`, the optimizer's state under `optimizer.<its kind>.`, and the rest in the metadata.
  public func save(to path: String, description: RunDescription) throws(TrainingError) {
    let record = StateRecord(
      step: step, cursor: cursor, draws: draws, optimizerSteps: optimizer.stepCount,
      averagedSteps: averaging.updateCount)
    guard let json = try? JSONValue.encoder.encode(record) else {
      throw .unwritable(path: path, reason: "the state cannot be written as JSON")
    }
    var writer = CheckpointWriter(metadata: [
      "format": Self.format, "kind": description.kind, "step": "\(step)",
      PixelModel.configurationKey: description.configuration,
      "state": String(decoding: json, as: UTF8.self),
    ])
    network.save(to: &writer)
    averaging.average.save(to: &writer, under: PixelModel.averagePrefix)
    for (name, slot) in zip(type(of: optimizer).slotNames, optimizer.slots) {
      var values = slot[...]
      let holder = network.mapParameters { tensor, parameter in
        parameter.isTrainable ? values.removeFirst() : tensor
      }
      holder.save(to: &writer, under: "optimizer.\(name)")
    }
    try Self.write(writer, to: path)
  }

  /// Writes the averaged weights alone, under their names, with the configuration: the model as it is used.
  public func exportModel(
    to path: String, description: RunDescription, as dtype: DType = .float16
  ) throws(TrainingError) {
    var writer = CheckpointWriter(metadata: [
      "format": "swift-diffusion-engine model 1", "kind": description.kind, "step": "\(step)",
      PixelModel.configurationKey: description.configuration,
    ])
    averaging.average.converted(to: dtype).save(to: &writer)
    try Self.write(writer, to: path)
  }

  /// Goes on from a checkpoint. `self` is the start of the run that is to go on: its network says what tensors there
  /// are to be, its optimizer and cursor what run it has to have been.
  public mutating func restore(from path: String) throws(TrainingError) {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(path: path)
    } catch {
      throw .checkpoint(error)
    }
    let record = try record(of: file)
    do {
      try restore(record, from: file)
    } catch {
      throw .checkpoint(error)
    }
  }

  /// The metadata's part of the state, which has to be of the same run.
  private func record(of file: SafetensorsFile) throws(TrainingError) -> StateRecord {
    guard file.metadata["format"] == Self.format, let json = file.metadata["state"] else {
      throw .foreignCheckpoint(
        path: file.path, problem: "it is no training checkpoint; give a checkpoint-*.safetensors")
    }
    guard
      let tree = try? JSONValue(parsing: Data(json.utf8)),
      let record = try? StrictDecoder.decode(StateRecord.self, from: tree)
    else {
      throw .foreignCheckpoint(path: file.path, problem: "its state is not one of this version")
    }
    let (its, own) = (record.cursor, cursor)
    guard its.exampleCount == own.exampleCount, its.seed == own.seed else {
      throw .foreignCheckpoint(
        path: file.path,
        problem: "it was trained on \(its.exampleCount) examples with seed \(its.seed), the "
          + "configuration gives \(own.exampleCount) with seed \(own.seed)")
    }
    return record
  }

  private mutating func restore(
    _ record: StateRecord, from file: SafetensorsFile
  ) throws(CheckpointError) {
    var (network, averaged) = (self.network, averaging.average)
    let average = PixelModel.averagePrefix
    try network.load(
      from: CheckpointPart(file, under: "", excluding: ["\(average).", "optimizer."]))
    try averaged.load(from: CheckpointPart(file, under: "\(average)."), under: average)
    var moments: [[Tensor]] = []
    for name in type(of: optimizer).slotNames where record.optimizerSteps > 0 {
      var holder = network
      let part = CheckpointPart(file, under: "optimizer.\(name).")
      try holder.load(from: part, under: "optimizer.\(name)")
      moments.append(
        zip(holder.parameterList(), holder.parameters()).filter(\.0.isTrainable).map(\.1.tensor))
    }
    self.network = network
    averaging.average = averaged
    averaging.updateCount = record.averagedSteps
    optimizer.slots = moments
    optimizer.stepCount = record.optimizerSteps
    (step, cursor, draws) = (record.step, record.cursor, record.draws)
  }

  private static func write(_ writer: CheckpointWriter, to path: String) throws(TrainingError) {
    do {
      try writer.write(to: path)
    } catch {
      throw .checkpoint(error)
    }
  }
}
