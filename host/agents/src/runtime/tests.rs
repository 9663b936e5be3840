mod control;
mod crash;
mod lifecycle;
mod told;
mod world;
