mod budget;
mod cut_off;
mod fold;
mod graphs;
mod handoffs;
mod single;
mod stage;
mod teams;
