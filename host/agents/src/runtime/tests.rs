mod control;
mod crash;
mod lifecycle;
mod standing;
mod told;
mod workflow;
mod world;
